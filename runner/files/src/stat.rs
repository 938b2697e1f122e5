use rustix::fs::FileType;

use crate::What;

/// The kind, size and mode of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Its kind.
    pub kind: Kind,
    /// Its size in bytes; 0 if it is not a file.
    pub size: u64,
    /// Its permission bits.
    pub mode: u32,
}

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// Anything else.
    Other(What),
}

impl Stat {
    pub(crate) fn of(stat: &rustix::fs::Stat) -> Self {
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Other(What::Folder),
            FileType::Symlink => Kind::Other(What::Link),
            FileType::Fifo => Kind::Other(What::Pipe),
            FileType::Socket => Kind::Other(What::Socket),
            _ => Kind::Other(What::Device),
        };
        Self {
            kind,
            size: match kind {
                Kind::File => u64::try_from(stat.st_size).unwrap_or(0),
                Kind::Other(_) => 0,
            },
            mode: stat.st_mode & 0o7777,
        }
    }

    /// Returns whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.kind == Kind::Other(What::Folder)
    }

    /// Returns whether it is a symbolic link.
    pub fn is_link(&self) -> bool {
        self.kind == Kind::Other(What::Link)
    }
}
