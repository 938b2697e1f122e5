//! `cargo xtask build`: the release runner with its plugins embedded.

use std::path::PathBuf;

use crate::guests::Profile;
use crate::{Result, cargo, guests, say};

/// Names the folder of components that the build of `sidestep` embeds.
pub(crate) const PLUGINS: &str = "SIDESTEP_PLUGINS";

/// Builds the plugins and then the runner; returns where the runner is.
pub(crate) fn build() -> Result<PathBuf> {
    let plugins = guests::build(Profile::Release)?;
    say::doing("building the runner (the first time takes some minutes)");
    cargo::run(
        cargo::cargo()
            .args(["build", "--release", "--package", "sidestep"])
            .env(PLUGINS, &plugins),
    )?;
    Ok(cargo::target_dir().join("release/sidestep"))
}
