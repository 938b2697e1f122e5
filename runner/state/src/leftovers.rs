//! Handles what runs leave on disk when their process is killed.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use crate::{RunFolder, RunLock, Runs, StateError};

/// The process that writes a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// No process: the last one released its lock.
    Nobody,
    /// A live process, with its id if it has written it yet.
    Alive(Option<u32>),
    /// A process that ended without releasing its lock: it was killed.
    Gone(u32),
}

impl Runs {
    /// Returns the folders, older than `age`, of runs that never began: their process ended between
    /// creating the folder and writing the journal's header. Locked folders are left out.
    pub fn stillborn(&self, age: Duration) -> Vec<RunFolder> {
        let entries = fs::read_dir(self.root()).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| {
                let id = entry.file_name().to_str()?.parse().ok()?;
                let folder = self.folder(&id);
                let old = entry.metadata().ok()?.modified().ok()?.elapsed().ok()? >= age;
                let never_began = never_began(folder.path()).ok()?;
                let free = !matches!(folder.writer(), Writer::Alive(_));
                (old && never_began && free).then_some(folder)
            })
            .collect()
    }
}

/// Returns whether a folder holds only what a run writes before its journal. A folder with other
/// content, or without a mark of a run, belongs to another tool.
fn never_began(folder: &Path) -> io::Result<bool> {
    let mut marked = false;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_name().to_str() {
            Some("lock" | "journal.new") => marked = true,
            // A run writes logs only after its journal.
            Some("logs") if fs::read_dir(entry.path())?.next().is_none() => {}
            _ => return Ok(false),
        }
    }
    Ok(marked)
}

impl RunFolder {
    /// Returns the state of the run's writer.
    pub fn writer(&self) -> Writer {
        RunLock::writer(&self.lock_path())
    }

    /// Returns when the journal was last written.
    pub fn last_written(&self) -> Result<SystemTime, StateError> {
        let path = self.journal_path();
        let read = fs::metadata(&path).and_then(|metadata| metadata.modified());
        read.map_err(StateError::io("read", &path))
    }

    /// Removes the run from disk: its journal, its plan and its logs. The caller holds the lock.
    pub fn remove(&self, _lock: &RunLock) -> Result<(), StateError> {
        // Without its journal a folder is not a run. If this is interrupted, the rest is cleaned up
        // later.
        let journal = self.journal_path();
        match fs::remove_file(&journal) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StateError::io("remove", &journal)(error));
            }
            _ => {}
        }
        let path: PathBuf = self.path().to_owned();
        fs::remove_dir_all(&path).map_err(StateError::io("remove", &path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates a folder with these entries; a name with a final `/` is a folder.
    fn make(root: &Path, name: &str, entries: &[&str]) {
        let folder = root.join(name);
        fs::create_dir(&folder).expect("made");
        for entry in entries {
            let path = folder.join(entry);
            let made = match entry.strip_suffix('/') {
                Some(_) => fs::create_dir_all(&path),
                None => fs::write(&path, ""),
            };
            made.expect("made");
        }
    }

    #[test]
    fn a_folder_with_another_s_logs_is_no_run() {
        let root = tempfile::tempdir().expect("a folder");
        let rows: [(&str, &[&str]); 8] = [
            ("empty", &[]),
            ("empty-logs", &["logs/"]),
            ("others-logs", &["lock", "logs/", "logs/today.log"]),
            ("logs-file", &["lock", "logs"]),
            ("notes", &["lock", "notes.txt"]),
            ("locked", &["lock"]),
            ("with-logs", &["lock", "logs/"]),
            ("drafted", &["lock", "logs/", "journal.new"]),
        ];
        for (name, entries) in rows {
            make(root.path(), name, entries);
        }
        let found = Runs::at(root.path()).stillborn(Duration::ZERO);
        let mut found: Vec<_> = found.iter().map(|run| run.id().as_str()).collect();
        found.sort_unstable();
        assert_eq!(found, ["drafted", "locked", "with-logs"]);
    }
}
