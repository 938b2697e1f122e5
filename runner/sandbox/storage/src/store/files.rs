//! The store's files.

use crate::{OpenError, error::ApiError};
use serde::{Serialize, de::DeserializeOwned};
use sidestep_sandbox_base::disk;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Returns the paths in a folder.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let read = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let read = read.map_err(|source| OpenError::io(folder, source))?;
    Ok(read.into_iter().map(|entry| entry.path()).collect())
}

/// Reads a JSON file; `None` if it does not exist.
pub(crate) fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, OpenError> {
    Ok(disk::read_json(path)?)
}

/// Writes a JSON file atomically.
pub(crate) fn save<T: Serialize>(path: &Path, value: &T) -> Result<(), ApiError> {
    disk::write_json(path, value).map_err(ApiError::disk)
}
