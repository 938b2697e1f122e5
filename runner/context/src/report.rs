use crate::{ChangedMode, Entry, Kind};

/// The maximum number of files in [`Report::largest`].
const LARGEST: usize = 10;

/// The numbers of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The number of all entries: files, folders and links.
    pub entries: u64,
    /// The number of files.
    pub files: u64,
    /// The size of the files' content, in bytes.
    pub bytes: u64,
    /// The number of paths that the ignore file or the caller excluded; an excluded folder and its
    /// content count once.
    pub ignored: u64,
    /// Entries that cannot be in a context and were skipped.
    pub skipped: Vec<Skipped>,
    /// The modes in the archive that differ from those on disk.
    pub modes: Vec<ChangedMode>,
    /// The largest files, the largest first; at most ten.
    pub largest: Vec<Largest>,
}

/// An entry that cannot be in a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The path in the context; invalid UTF-8 is replaced.
    pub path: String,
    /// The kind of entry: `a socket`, `a named pipe`, `a device`.
    pub what: &'static str,
}

/// A large file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Largest {
    /// The path in the context; invalid UTF-8 is replaced.
    pub path: String,
    /// The size in bytes.
    pub bytes: u64,
}

impl Report {
    pub(crate) fn new(
        entries: &[Entry],
        skipped: &[Skipped],
        modes: &[ChangedMode],
        ignored: u64,
    ) -> Self {
        let mut files: Vec<&Entry> = entries
            .iter()
            .filter(|entry| matches!(entry.kind, Kind::File { .. }))
            .collect();
        let bytes = files.iter().map(|entry| entry.kind.size()).sum();
        let count = files.len() as u64;
        files.sort_by_key(|entry| std::cmp::Reverse(entry.kind.size()));
        let largest = files.iter().take(LARGEST).map(|entry| Largest {
            path: entry.path.to_str_lossy().into_owned(),
            bytes: entry.kind.size(),
        });
        Self {
            entries: entries.len() as u64,
            files: count,
            bytes,
            ignored,
            skipped: skipped.to_vec(),
            modes: modes.to_vec(),
            largest: largest.collect(),
        }
    }
}
