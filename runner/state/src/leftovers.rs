//! Handles what runs leave on disk when their process is killed.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

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
                // A folder with other content belongs to another tool.
                let known = fs::read_dir(folder.path()).ok()?.flatten().all(|inside| {
                    ["lock", "logs", "journal.new"]
                        .iter()
                        .any(|name| inside.file_name() == *name)
                });
                let free = !matches!(folder.writer(), Writer::Alive(_));
                (old && known && free).then_some(folder)
            })
            .collect()
    }
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
