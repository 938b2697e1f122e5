use std::fmt;
use std::io;

use rustix::io::Errno;

/// The reason why a file is not opened or read. Its text follows "can't be read: " or stands alone.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The path leaves the folder, by its parts or by a link.
    #[error("it leads out of the folder that it must stay in")]
    Outside,
    /// The file does not exist.
    #[error("there is no such file")]
    NotFound,
    /// The entry is not a regular file.
    #[error("it is {0}, not a regular file")]
    NotAFile(What),
    /// A folder is required.
    #[error("it is not a folder")]
    NotAFolder,
    /// The file has more bytes than the limit.
    #[error("it has more than {0} bytes, the maximum")]
    TooLarge(u64),
    /// The target of the path changed at every attempt to open it.
    #[error("other processes keep replacing it")]
    Changing,
    /// The links of the path form a loop.
    #[error("its symbolic links form a loop")]
    LinkLoop,
    /// The file is not valid UTF-8.
    #[error("it is not valid UTF-8")]
    NotText,
    /// The operating system returned an error.
    #[error("{0}")]
    Io(io::Error),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NotFound,
            _ => Self::Io(error),
        }
    }
}

impl From<OpenError> for io::Error {
    /// Returns the error that the operating system has for it, if it has one.
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NotFound => Errno::NOENT.into(),
            OpenError::NotAFolder => Errno::NOTDIR.into(),
            OpenError::LinkLoop => Errno::LOOP.into(),
            OpenError::Io(error) => error,
            error => Self::other(error),
        }
    }
}

/// The type of an entry that is not a regular file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Pipe,
    /// A socket.
    Socket,
    /// A device.
    Device,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folder => "a folder",
            Self::Link => "a symbolic link",
            Self::Pipe => "a named pipe",
            Self::Socket => "a socket",
            Self::Device => "a device",
        })
    }
}
