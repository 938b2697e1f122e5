//! The store's files.

use crate::{OpenError, failure::Failure};
use serde::{Serialize, de::DeserializeOwned};
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
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(OpenError::io(path, source)),
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|source| OpenError::corrupt(path, source))
}

/// Writes a JSON file atomically: to a temporary path, then renamed.
pub(crate) fn save<T: Serialize>(path: &Path, value: &T) -> Result<(), Failure> {
    let write = || {
        let beside = path.with_extension("new");
        fs::write(&beside, serde_json::to_vec(value)?)?;
        fs::rename(&beside, path)
    };
    write().map_err(Failure::disk)
}
