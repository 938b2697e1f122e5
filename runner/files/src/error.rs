use std::fmt;
use std::io;

/// Why a file is not opened or read. The text follows "can't be read: " or stands by itself.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its name or a link on its way leads out of the folder.
    #[error("it leads out of the folder that it has to lie in")]
    Outside,
    /// There is no such file.
    #[error("there is no such file")]
    NotFound,
    /// Only regular files are read.
    #[error("it is {0}, not a regular file")]
    NotAFile(What),
    /// A folder is wanted.
    #[error("it is not a folder")]
    NotAFolder,
    /// It has more bytes than are read.
    #[error("it has more than {0} bytes, the most that are read")]
    TooLarge(u64),
    /// What its name leads to changed each time that it was opened.
    #[error("it is being replaced all the time")]
    Changing,
    /// The links on its way lead back to themselves.
    #[error("its symbolic links form a loop")]
    LinkLoop,
    /// It is no text.
    #[error("it is not valid UTF-8")]
    NotText,
    /// The operating system refused.
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

/// What stands where a regular file is wanted.
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
