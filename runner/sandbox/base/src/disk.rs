//! Files of a state directory.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The error for a JSON file that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// An I/O error.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// The content is not what [`write_json`] wrote there.
    #[error("{path}: {source}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The parser's error.
        source: serde_json::Error,
    },
}

/// Replaces a file atomically. Only its owner may read it.
///
/// # Errors
/// If the folder does not exist or cannot be written; the old file then stays.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Replaces a JSON file atomically, like [`write`]. It is on the disk when this returns, so that it
/// survives a failure of the machine.
///
/// # Errors
/// As [`write`], and if the value has no JSON form.
pub fn write_json_durably(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec(value)?)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The name of the file.
    fs::File::open(folder)?.sync_all()
}

/// Replaces a JSON file atomically, like [`write`].
///
/// # Errors
/// As [`write`], and if the value has no JSON form.
pub fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    write(path, &serde_json::to_vec(value)?)
}

/// Reads a JSON file; `None` if it does not exist.
///
/// # Errors
/// If it cannot be read or parsed.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ReadError> {
    let path = path.to_owned();
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|source| ReadError::Corrupt { path, source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ReadError::Io { path, source }),
    }
}

/// Logs an I/O error of a server's state directory, and returns the message for the caller (of a
/// 500).
pub fn unusable(server: &str, error: &io::Error) -> String {
    tracing::error!(%error, "the sandbox's {server} could not use its state directory");
    format!("The sandbox could not use its state directory: {error}")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn files_are_replaced_as_a_whole_and_are_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        assert_eq!(read_json::<Vec<u8>>(&path).unwrap(), None);
        write_json(&path, &[1]).unwrap();
        write_json(&path, &[1, 2]).unwrap();
        assert_eq!(read_json(&path).unwrap(), Some(vec![1, 2]));
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        write_json_durably(&path, &[3]).unwrap();
        assert_eq!(read_json(&path).unwrap(), Some(vec![3]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        write(&path, b"{").unwrap();
        let error = read_json::<Vec<u8>>(&path).unwrap_err();
        assert!(matches!(error, ReadError::Corrupt { .. }), "{error}");
        let error = read_json::<Vec<u8>>(folder.path()).unwrap_err();
        assert!(matches!(error, ReadError::Io { .. }), "{error}");
    }
}
