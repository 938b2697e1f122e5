//! The files of the pipeline's workspace. Grant key: `workspace`.
//!
//! Paths are relative to the workspace, with `/` between their parts.

use sidestep_contract::codes;

use crate::bindings::sidestep::workspace::files;
use crate::{Blob, Error, Result};

pub use files::{
    ChangedMode, Entry, Kind, LargeFile, Listing, Overlay, PackOptions, Packed, SkippedEntry,
};

/// Lists the entries whose path matches one of the patterns (`*`, `**`, `?`,
/// `[…]`), at most `max`.
pub fn list(patterns: &[String], max: u32) -> Result<Listing> {
    files::list(patterns, max).map_err(Error::from)
}

/// Returns facts about an entry; a symbolic link is not followed.
pub fn stat(path: &str) -> Result<Entry> {
    files::stat(path).map_err(Error::from)
}

/// Returns whether an entry with this path exists.
pub fn exists(path: &str) -> Result<bool> {
    match stat(path) {
        Ok(_) => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Reads a file's bytes. Fails with class `exhausted` if it has more than `max`.
pub fn read(path: &str, max: u64) -> Result<Vec<u8>> {
    files::read(path, max).map_err(Error::from)
}

/// Reads a file's text, at most `max` bytes of UTF-8.
pub fn read_to_string(path: &str, max: u64) -> Result<String> {
    String::from_utf8(read(path, max)?).map_err(|error| {
        Error::failed(
            codes::workspace::NOT_UTF8,
            format!("{path} is not UTF-8 text: {}", error.utf8_error()),
        )
    })
}

/// Opens a file as a blob.
pub fn open(path: &str) -> Result<Blob> {
    files::open(path).map_err(Error::from)
}

/// Packs a directory into an archive for a builder. Nothing is compressed before
/// the blob is sent.
pub fn pack(options: &PackOptions<'_>) -> Result<Packed> {
    files::pack(options).map_err(Error::from)
}

impl PackOptions<'_> {
    /// Returns options for a directory with its own ignore file; the answer names the
    /// ten largest files.
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            dockerfile: None,
            ignore: Vec::new(),
            overlays: Vec::new(),
            keep_modes: false,
            largest: 10,
        }
    }
}
