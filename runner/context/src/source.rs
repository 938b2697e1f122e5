//! The sources of entries.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use sidestep_files::{Folder, OpenError, is_link};

use crate::{Error, RelPath};

/// A source of entries: a folder (or one file of it) on disk, and its place in the context.
#[derive(Debug)]
pub(crate) struct Source {
    folder: Folder,
    stands: Stands,
}

#[derive(Debug)]
enum Stands {
    /// The folder's content, at a place of the context or at its root.
    Tree(Option<RelPath>),
    /// One file of the folder.
    File(PathBuf),
}

impl Source {
    pub(crate) fn tree(folder: Folder, at: Option<RelPath>) -> Self {
        let stands = Stands::Tree(at);
        Self { folder, stands }
    }

    pub(crate) fn file(folder: Folder, name: PathBuf) -> Self {
        let stands = Stands::File(name);
        Self { folder, stands }
    }

    /// Returns the local path, for messages.
    pub(crate) fn path_of(&self, path: &RelPath) -> PathBuf {
        self.folder.path().join(self.below(path))
    }

    /// Opens a regular file. A link that replaced the file, or a folder above it, is not followed,
    /// and a pipe that replaced it does not block.
    pub(crate) fn open(&self, path: &RelPath) -> Result<File, Error> {
        let opened = self.folder.file_itself(&self.below(path));
        opened.map_err(|error| self.not_opened(path, error))
    }

    /// Opens a regular file, following links that stay in the folder.
    pub(crate) fn follow(&self, path: &RelPath) -> Result<File, Error> {
        let opened = self.folder.file(&self.below(path), |_| Ok(()));
        opened.map_err(|error| self.not_opened(path, error))
    }

    fn not_opened(&self, path: &RelPath, error: OpenError) -> Error {
        let disk = self.path_of(path);
        match error {
            OpenError::NotFound => Error::gone(disk),
            OpenError::NotAFile(_) => Error::replaced(disk),
            OpenError::Io(error) if is_link(&error) => Error::replaced(disk),
            OpenError::Io(error) => Error::io("open", disk)(error),
            other => Error::io("open", disk)(io::Error::other(other)),
        }
    }

    fn below(&self, path: &RelPath) -> PathBuf {
        match &self.stands {
            Stands::File(name) => name.clone(),
            Stands::Tree(None) => path.under(Path::new("")),
            Stands::Tree(Some(at)) => {
                let below = path.as_bytes().get(at.as_bytes().len() + 1..);
                let below = below.and_then(RelPath::new);
                below.map_or_else(PathBuf::new, |below| below.under(Path::new("")))
            }
        }
    }
}
