//! Opens the files of a run, which only the current user may be able to read or change.
//!
//! A plan decides what runs, a journal what is removed, and a log what was output. Anyone who can
//! write them could act as the user.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use sidestep_files::own::{self, OwnError};

use crate::StateError;

/// The mode of new files. A umask can only remove bits, so a permissive umask never creates a file
/// that would be refused when it is read.
const FILE: u32 = 0o600;
const FOLDER: u32 = 0o700;

/// Opens a file for reading.
pub(crate) fn read(path: &Path) -> Result<File, StateError> {
    own::open(path).map_err(|error| refused("read", path, error))
}

/// Opens a file for reading and writing, and creates it if it does not exist.
pub(crate) fn open_or_make(path: &Path) -> Result<File, StateError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    open(path, &mut options)
}

/// Opens a file for appending.
pub(crate) fn append(path: &Path) -> Result<File, StateError> {
    open(path, OpenOptions::new().append(true))
}

/// Creates an empty file, replacing an existing one.
pub(crate) fn make(path: &Path) -> Result<File, StateError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    open(path, &mut options)
}

/// Creates a folder and its parents.
pub(crate) fn make_folder(path: &Path) -> Result<(), StateError> {
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER)
        .create(path)
        .map_err(StateError::io("create", path))
}

/// Returns whether the error proves that the path does not exist. Any other error leaves that open.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn open(path: &Path, options: &mut OpenOptions) -> Result<File, StateError> {
    // Check the folder first: in a folder that others can write, a link could lead to any of the
    // user's files.
    if let Some(folder) = path.parent() {
        own::folder(folder).map_err(|error| refused("open", path, error))?;
    }
    let opened = options.mode(FILE).open(path).and_then(|file| {
        let metadata = file.metadata()?;
        Ok((file, metadata))
    });
    let (file, metadata) = opened.map_err(StateError::io("open", path))?;
    if !metadata.is_file() {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "not a regular file");
        return Err(StateError::io("open", path)(error));
    }
    own::judge(path, &metadata)?;
    Ok(file)
}

fn refused(doing: &'static str, path: &Path, error: OwnError) -> StateError {
    match error {
        OwnError::Io(error) => StateError::io(doing, path)(error),
        OwnError::NotOwn(found) => found.into(),
    }
}
