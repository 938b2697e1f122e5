use crate::{ChangedMode, Entry, Kind};

/// How many of the largest files a report names.
const LARGEST: usize = 10;

/// A context in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// All entries: files, folders and links.
    pub entries: u64,
    /// Files among them.
    pub files: u64,
    /// Bytes of the files' content.
    pub bytes: u64,
    /// Paths left out by the ignore file or the caller; a folder left out with
    /// its content counts once.
    pub ignored: u64,
    /// What cannot travel in a context and was left out.
    pub skipped: Vec<Skipped>,
    /// The modes that are other ones in the archive than on disk.
    pub modes: Vec<ChangedMode>,
    /// The largest files, the largest first; at most ten.
    pub largest: Vec<Largest>,
}

/// Something that cannot travel in a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where it stands in the context; what is not UTF-8 is replaced.
    pub path: String,
    /// What it is: `a socket`, `a named pipe`, `a device`.
    pub what: &'static str,
}

/// A large file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Largest {
    /// Where it stands in the context; what is not UTF-8 is replaced.
    pub path: String,
    /// Bytes.
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
