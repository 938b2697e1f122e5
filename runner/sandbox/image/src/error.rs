use std::io;
use std::path::PathBuf;

/// The reason why no image was written.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The program or a library cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
    /// The program or a library is not one for 64-bit Linux.
    #[error("{} is not a program or library for 64-bit Linux: {why}", path.display())]
    NotElf {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: String,
    },
    /// A library is not in any folder of the loader.
    #[error("{} needs the library {library}, which is in none of the loader's folders", of.display())]
    NoLibrary {
        /// The name of the library.
        library: String,
        /// The program or library that needs it.
        of: PathBuf,
    },
    /// The layer cannot be written to a temporary file.
    #[error("cannot write the image's layer to a temporary file: {0}")]
    Scratch(#[source] io::Error),
    /// The archive cannot be written.
    #[error("cannot write the image: {0}")]
    Unwritable(#[source] io::Error),
}

impl ImageError {
    pub(crate) fn unreadable(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Unreadable { path, source }
    }
}
