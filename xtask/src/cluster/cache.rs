//! The cache of programs, packages and clusters.

use std::env;
use std::path::PathBuf;

/// Returns the cache folder that all checkouts share.
pub(super) fn cache() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache");
    let base = env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
    base.join("sidestep").join("cluster")
}
