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
    /// A path that is opened with links followed: for callers that may read any file.
    Path(PathBuf),
    /// A folder that is already open.
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

/// The options for reading a context.
#[derive(Debug, Clone)]
pub struct Options {
    /// The context's folder.
    pub root: Root,
    /// The Dockerfile, relative to the context. It need not exist. It selects the ignore file, and
    /// the archive has it even if the ignore file excludes it from the context.
    pub dockerfile: PathBuf,
    /// Files and folders to exclude whatever the ignore file says, absolute or relative to the
    /// context, such as a state folder inside it.
    pub exclude: Vec<PathBuf>,
    /// Patterns in the ignore file's syntax, applied after those of the file.
    pub ignore: Vec<String>,
    /// The overlays of the context, the last one on top.
    pub overlays: Vec<Overlay>,
    /// Whether entries keep their modes on disk, so that the context depends on the machine;
    /// otherwise they have those of [`Kind::mode`].
    pub keep_modes: bool,
    /// The number of threads that read and compress; the result does not depend on it.
    pub threads: NonZero<usize>,
}

impl Options {
    /// Creates the options for a folder with its `Dockerfile`, without overlays, on all processors.
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

/// An entry of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path in the context.
    pub path: RelPath,
    /// The entry's kind.
    pub kind: Kind,
    /// The entry's mode in the archive.
    pub mode: u32,
    /// The index of its source: the context is 0, then the overlays.
    pub(crate) source: u32,
}

/// The kind of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A folder; mode 755.
    Folder,
    /// A file; mode 644, or 755 if anyone may execute it.
    File {
        /// The size in bytes.
        size: u64,
        /// Whether anyone may execute it.
        executable: bool,
        /// The SHA-256 of the content.
        sha256: [u8; 32],
    },
    /// A symbolic link, unchanged; it may point anywhere and is never followed.
    Link {
        /// The link's target, as written.
        target: Box<[u8]>,
    },
}

impl Kind {
    /// Returns the permission bits of such an entry, which are the same on every machine.
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

    /// Returns the size of the content in bytes; 0 if it is not a file.
    pub fn size(&self) -> u64 {
        match self {
            Self::File { size, .. } => *size,
            Self::Folder | Self::Link { .. } => 0,
        }
    }
}

/// A build context that was read: every entry with its digest, in the archive's order. It holds a
/// small record per entry; contents stay on disk.
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
    /// Walks the context, applies the ignore file before anything is read, lays the overlays over
    /// it (the ignore file does not apply to them), and hashes every file.
    pub fn read(options: &Options) -> Result<Self, Error> {
        let root = options.root.open()?;
        let dockerfile = RelPath::clean(&options.dockerfile).ok_or_else(|| Error::Refused {
            name: options.dockerfile.display().to_string(),
            reason: "the Dockerfile must be a file inside the build context".into(),
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

    /// Returns the context's entries in the archive's order, a folder before its content. A builder
    /// can copy these and nothing else.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the SHA-256, in hex, of the canonical form of the tree: for every entry, in order,
    /// its kind, name, mode, content or link target, and for a Dockerfile that is excluded from
    /// them. It does not depend on how an archive is made or compressed, nor on times and owners.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Returns the archive's name for a content-addressed store: `ctx1-DIGEST-PACKER.tar.gz`.
    pub fn archive_name(&self) -> String {
        format!("ctx1-{}-{PACKER}.tar.gz", self.digest)
    }

    /// Returns the ignore file that was applied, relative to the context.
    pub fn ignore_file(&self) -> Option<&RelPath> {
        self.ignore_file.as_ref()
    }

    /// Returns the numbers of the context and of its excluded and skipped entries.
    pub fn report(&self) -> Report {
        Report::new(&self.entries, &self.skipped, &self.modes, self.ignored)
    }
}

/// Returns a path inside the context; `None` if it is elsewhere.
fn relative(root: &Path, path: &Path) -> Option<RelPath> {
    let absolute = root.join(path);
    // The file's own name is kept: a link is excluded, not its target.
    let resolved = match (
        absolute.parent().and_then(|p| p.canonicalize().ok()),
        absolute.file_name(),
    ) {
        (Some(parent), Some(name)) => parent.join(name),
        _ => absolute,
    };
    RelPath::clean(resolved.strip_prefix(root).ok()?)
}
