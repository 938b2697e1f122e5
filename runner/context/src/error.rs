use std::{io, path::PathBuf};

/// The reason why a context could not be read, packed or unpacked. Every message names the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An I/O error.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The failed operation, as a verb: `read`, `list`, `write` and so on.
        action: &'static str,
        /// The local path.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
    /// The context's path is not a folder.
    #[error("the build context {} is not a folder", path.display())]
    NotAFolder {
        /// The local path.
        path: PathBuf,
    },
    /// A line of an ignore file is not a valid pattern.
    #[error("{file}:{line}: `{pattern}` is not a valid pattern: {reason}")]
    Pattern {
        /// The ignore file, relative to the context.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// The pattern, cleaned.
        pattern: String,
        /// The reason why the pattern is invalid.
        reason: &'static str,
    },
    /// The ignore file cannot be read.
    #[error("cannot read {file}: {source}")]
    IgnoreFile {
        /// The ignore file, relative to the context.
        file: String,
        /// The reason.
        #[source]
        source: sidestep_files::OpenError,
    },
    /// A line of an ignore file is longer than Docker's limit.
    #[error(
        "{file}:{line}: the line is longer than 64 KiB, which Docker does not read; shorten it"
    )]
    LongLine {
        /// The ignore file, relative to the context.
        file: String,
        /// The line, counted from 1.
        line: usize,
    },
    /// A file was written to, replaced or removed while the context was read.
    #[error(
        "{} changed while the build context was read ({how}); stop the process that writes to it, or add it to .dockerignore",
        path.display()
    )]
    Changed {
        /// The local path.
        path: PathBuf,
        /// A description of the change, for people.
        how: String,
    },
    /// An overlay cannot be placed in the context.
    #[error("cannot overlay files on the context at `{at}`: {reason}")]
    Overlay {
        /// The requested place.
        at: String,
        /// The reason.
        reason: String,
    },
    /// Writing the archive failed.
    #[error("cannot write the archive: {0}")]
    Write(#[source] io::Error),
    /// An archive is damaged or not a `tar.gz`.
    #[error("the archive cannot be read: {0}")]
    Archive(#[source] io::Error),
    /// An entry of an archive would leave the folder it is unpacked to, or is of a kind that a
    /// build context never has.
    #[error("the archive's entry `{name}` is refused: {reason}")]
    Refused {
        /// The entry's name.
        name: String,
        /// The reason.
        reason: String,
    },
}

impl Error {
    pub(crate) fn gone(path: impl Into<PathBuf>) -> Self {
        Self::Changed {
            path: path.into(),
            how: "it disappeared".into(),
        }
    }

    pub(crate) fn replaced(path: impl Into<PathBuf>) -> Self {
        Self::Changed {
            path: path.into(),
            how: "it was replaced".into(),
        }
    }

    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
