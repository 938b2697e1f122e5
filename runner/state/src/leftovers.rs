//! What runs leave on disk when their process is killed.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::{RunFolder, RunLock, Runs, StateError};

/// Who writes a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// Nobody: the last process gave its lock back.
    Nobody,
    /// A process that is alive; its id, where it has said so yet.
    Alive(Option<u32>),
    /// A process that ended without giving its lock back: it was killed.
    Gone(u32),
}

impl Runs {
    /// Folders of runs that never began, older than `age`: their process ended between making the
    /// folder and writing the journal's header. A folder that somebody holds is not among them.
    pub fn stillborn(&self, age: Duration) -> Vec<RunFolder> {
        let entries = fs::read_dir(self.root()).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| {
                let id = entry.file_name().to_str()?.parse().ok()?;
                let folder = self.folder(&id);
                let old = entry.metadata().ok()?.modified().ok()?.elapsed().ok()? >= age;
                // Another tool's folder of such a name holds something else.
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
    /// Who writes the run.
    pub fn writer(&self) -> Writer {
        RunLock::writer(&self.lock_path())
    }

    /// When the journal was last written.
    pub fn last_written(&self) -> Result<SystemTime, StateError> {
        let path = self.journal_path();
        let read = fs::metadata(&path).and_then(|metadata| metadata.modified());
        read.map_err(StateError::io("read", &path))
    }

    /// Removes the run from disk: its journal, its plan and its logs. The caller holds the lock.
    pub fn remove(&self, _lock: &RunLock) -> Result<(), StateError> {
        // Without its journal a folder is no run; should this be cut short, the rest is swept.
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
