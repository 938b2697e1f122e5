use crate::{
    ChangedMode, Error, Overlay, PACKER, RelPath, Report, digest, dockerfiles::Dockerfiles,
    ignore::Ignore, modes, overlay, report::Skipped, source::Source, walk,
};
use sidestep_files::Folder;
use std::{
    io::ErrorKind,
    num::NonZero,
    path::{Path, PathBuf},
    thread,
};

/// The folder of a context.
#[derive(Debug, Clone)]
pub enum Root {
    /// Opened by its path, links and all: for callers that may read any file.
    Path(PathBuf),
    /// Open already.
    Open(Folder),
}

impl From<&Path> for Root {
    fn from(path: &Path) -> Self {
        Self::Path(path.to_owned())
    }
}

impl From<PathBuf> for Root {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

impl From<Folder> for Root {
    fn from(folder: Folder) -> Self {
        Self::Open(folder)
    }
}

impl Root {
    fn open(&self) -> Result<Folder, Error> {
        match self {
            Self::Open(folder) => Ok(folder.clone()),
            Self::Path(path) => Folder::open(path).map_err(|error| match error.kind() {
                ErrorKind::NotADirectory => Error::NotAFolder { path: path.clone() },
                _ => Error::io("read", path)(error),
            }),
        }
    }
}

/// What to take into a context.
#[derive(Debug, Clone)]
pub struct Options {
    /// The context's folder.
    pub root: Root,
    /// The Dockerfile, relative to the context. It need not exist: it decides
    /// which ignore file counts, and the archive holds it even where the ignore file leaves it
    /// out of the context.
    pub dockerfile: PathBuf,
    /// Files and folders to leave out whatever the ignore file says, absolute or
    /// relative to the context: a state folder inside it, for one.
    pub exclude: Vec<PathBuf>,
    /// Patterns of the ignore file's syntax, applied after those of the file.
    pub ignore: Vec<String>,
    /// What to lay over the context, the last one on top.
    pub overlays: Vec<Overlay>,
    /// Whether entries keep the modes that they have on disk, so that the context depends on the
    /// machine; else they have those of [`Kind::mode`].
    pub keep_modes: bool,
    /// How many threads read and compress; the result is the same for any number.
    pub threads: NonZero<usize>,
}

impl Options {
    /// A folder with its `Dockerfile`, nothing more, on all processors.
    pub fn new(root: impl Into<Root>) -> Self {
        Self {
            root: root.into(),
            dockerfile: "Dockerfile".into(),
            exclude: Vec::new(),
            ignore: Vec::new(),
            overlays: Vec::new(),
            keep_modes: false,
            threads: thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN),
        }
    }
}

/// One entry of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands in the context.
    pub path: RelPath,
    /// What it is.
    pub kind: Kind,
    /// Its mode in the archive.
    pub mode: u32,
    /// The tree it was read from: the context is 0, then the overlays.
    pub(crate) source: u32,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A folder; mode 755.
    Folder,
    /// A file; mode 644, or 755 where anyone may execute it.
    File {
        /// Bytes.
        size: u64,
        /// Whether anyone may execute it.
        executable: bool,
        /// SHA-256 of its content.
        sha256: [u8; 32],
    },
    /// A symbolic link, as it is; it may lead anywhere and is never followed.
    Link {
        /// Where it leads, as written.
        target: Box<[u8]>,
    },
}

impl Kind {
    /// The permission bits that such an entry has on every machine.
    pub fn mode(&self) -> u32 {
        match self {
            Self::Folder
            | Self::File {
                executable: true, ..
            } => 0o755,
            Self::File {
                executable: false, ..
            } => 0o644,
            Self::Link { .. } => 0o777,
        }
    }

    /// Bytes of content; 0 where it is not a file.
    pub fn size(&self) -> u64 {
        match self {
            Self::File { size, .. } => *size,
            Self::Folder | Self::Link { .. } => 0,
        }
    }
}

/// A build context, read: every entry with its digest, in the archive's order.
/// It holds a small record an entry; contents stay on disk.
#[derive(Debug)]
pub struct Tree {
    pub(crate) sources: Vec<Source>,
    pub(crate) threads: NonZero<usize>,
    entries: Vec<Entry>,
    pub(crate) dockerfiles: Dockerfiles,
    skipped: Vec<Skipped>,
    modes: Vec<ChangedMode>,
    ignored: u64,
    ignore_file: Option<RelPath>,
    digest: String,
}

impl Tree {
    /// Walks the context, applies the ignore file before anything is read, lays
    /// the overlays over it (to which no ignore file applies here), and hashes
    /// every file.
    pub fn read(options: &Options) -> Result<Self, Error> {
        let root = options.root.open()?;
        let dockerfile = RelPath::clean(&options.dockerfile).ok_or_else(|| Error::Refused {
            name: options.dockerfile.display().to_string(),
            reason: "a Dockerfile is a file inside the build context".into(),
        })?;
        let ignore = Ignore::load_in(&root, &dockerfile, &options.ignore)?;
        let exclude: Vec<_> = options
            .exclude
            .iter()
            .filter_map(|path| relative(root.path(), path))
            .collect();
        let mut found = walk::walk(&root, &ignore, &exclude)?;
        let mut sources = vec![Source::tree(root.clone(), None)];
        overlay::apply(&options.overlays, &mut found, &mut sources)?;
        let modes = if options.keep_modes {
            Vec::new()
        } else {
            modes::normalise(&mut found.entries)
        };
        digest::hash_files(&mut found.entries, &sources, options.threads)?;
        let dockerfiles = Dockerfiles::find(&root, &dockerfile, &found.entries, &exclude)?;
        let digest = digest::of(&found.entries, &dockerfiles);
        Ok(Self {
            sources,
            threads: options.threads,
            entries: found.entries,
            dockerfiles,
            skipped: found.skipped,
            modes,
            ignored: found.ignored,
            ignore_file: ignore.file().cloned(),
            digest,
        })
    }

    /// The context's entries in the archive's order, a folder before its content: all that a
    /// builder can copy.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// SHA-256, in hex, of the canonical form of the tree: of every entry, in
    /// order, its kind, name, mode, content or link target, and of a Dockerfile that is left out of
    /// them. It does not depend on
    /// how an archive is made or compressed, nor on times and owners.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The archive's name for a content-addressed store:
    /// `ctx1-DIGEST-PACKER.tar.gz`.
    pub fn archive_name(&self) -> String {
        format!("ctx1-{}-{PACKER}.tar.gz", self.digest)
    }

    /// The ignore file that was applied, relative to the context.
    pub fn ignore_file(&self) -> Option<&RelPath> {
        self.ignore_file.as_ref()
    }

    /// What the context holds, in numbers, and what it does not.
    pub fn report(&self) -> Report {
        Report::new(&self.entries, &self.skipped, &self.modes, self.ignored)
    }
}

/// A path inside the context; `None` where it is elsewhere.
fn relative(root: &Path, path: &Path) -> Option<RelPath> {
    let absolute = root.join(path);
    // The file's own name is kept: a link is left out, not what it leads to.
    let resolved = match (
        absolute.parent().and_then(|p| p.canonicalize().ok()),
        absolute.file_name(),
    ) {
        (Some(parent), Some(name)) => parent.join(name),
        _ => absolute,
    };
    RelPath::clean(resolved.strip_prefix(root).ok()?)
}
