//! Handles what runs leave on disk when their process is killed.

use std::fs::DirEntry;
use std::path::Path;
use std::time::{Duration, SystemTime};
use std::{fs, io};

use crate::{RunFolder, RunLock, Runs, StateError, own};

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

/// The parts of a run in the order in which they are removed. As long as the journal is there, a
/// later clean-up finds the run and repeats the removal. Without its journal and with a lock alone,
/// the folder is one of a run that never began.
const PARTS: [&str; 4] = ["logs", "plan.json", "plan.json.new", "journal"];

impl Runs {
    /// Returns the folders, older than `age`, of runs that never began: their process ended between
    /// creating the folder and writing the journal's header. Locked folders are left out. Folders
    /// that can't be read are errors, except those that [`Runs::list`] reports.
    pub fn stillborn(&self, age: Duration) -> (Vec<RunFolder>, Vec<StateError>) {
        let (mut found, mut unreadable) = (Vec::new(), Vec::new());
        let entries = fs::read_dir(self.root()).into_iter().flatten().flatten();
        for entry in entries {
            let Some(id) = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
            else {
                continue;
            };
            let folder = self.folder(&id);
            if !matches!(folder.has_journal(), Ok(false)) {
                continue;
            }
            match is_leftover(&folder, &entry, age) {
                Ok(true) => found.push(folder),
                Ok(false) => {}
                Err(error) if own::is_absent(&error) => {}
                Err(error) => unreadable.push(StateError::io("read", folder.path())(error)),
            }
        }
        (found, unreadable)
    }
}

fn is_leftover(folder: &RunFolder, entry: &DirEntry, age: Duration) -> io::Result<bool> {
    let metadata = entry.metadata()?;
    let old = metadata
        .modified()?
        .elapsed()
        .is_ok_and(|elapsed| elapsed >= age);
    // A link to a folder is not a folder of this runner.
    Ok(old
        && metadata.is_dir()
        && never_began(folder.path())?
        && !matches!(folder.writer(), Writer::Alive(_)))
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
            Some("logs") if entry.file_type()?.is_dir() && is_empty(&entry.path())? => {}
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
        for part in PARTS {
            let path = self.path().join(part);
            match remove(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(StateError::io("remove", &path)(error));
                }
                _ => {}
            }
        }
        let path = self.path();
        fs::remove_dir_all(path).map_err(StateError::io("remove", path))
    }
}

fn is_empty(folder: &Path) -> io::Result<bool> {
    Ok(fs::read_dir(folder)?.next().is_none())
}

/// Removes a file, or a folder with its content. Does not follow a link.
fn remove(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
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
        let (found, unreadable) = Runs::at(root.path()).stillborn(Duration::ZERO);
        assert!(unreadable.is_empty(), "{unreadable:?}");
        let mut found: Vec<_> = found.iter().map(|run| run.id().as_str()).collect();
        found.sort_unstable();
        assert_eq!(found, ["drafted", "locked", "with-logs"]);
    }

    #[test]
    fn an_interrupted_removal_is_finished_by_the_next() {
        let id: crate::RunId = "r".parse().expect("an id");
        for removed in 0..=PARTS.len() {
            let root = tempfile::tempdir().expect("a folder");
            let entries = ["lock", "logs/", "logs/a.1.log", "plan.json", "journal"];
            make(root.path(), "r", &entries);
            let runs = Runs::at(root.path());
            for part in &PARTS[..removed] {
                // The draft of the plan need not exist.
                let _ = remove(&root.path().join("r").join(part));
            }
            let folder = match runs.open(&id) {
                Ok(folder) => folder,
                Err(_) => runs.stillborn(Duration::ZERO).0.remove(0),
            };
            let lock = folder.lock().expect("free");
            folder.remove(&lock).expect("removed");
            assert!(!folder.path().exists(), "after {removed} parts");
        }
    }
}
