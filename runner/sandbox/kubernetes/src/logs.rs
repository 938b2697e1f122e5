//! Container logs as files in the kubelet's own format (CRI): `TIME STREAM F|P TEXT`.

mod line;
mod read;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use line::Line;
pub(crate) use read::Selection;
pub use writer::{LogWriter, Output};

/// One run of one container.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LogId {
    pub(crate) uid: String,
    pub(crate) container: String,
    pub(crate) restart: u64,
}

/// All logs, in one folder.
#[derive(Debug)]
pub(crate) struct Logs {
    dir: PathBuf,
    open: Mutex<HashMap<LogId, watch::Sender<u64>>>,
}

impl Logs {
    pub(crate) fn new(dir: PathBuf) -> Arc<Self> {
        Arc::new(Self {
            dir,
            open: Mutex::new(HashMap::new()),
        })
    }

    fn path(&self, id: &LogId) -> PathBuf {
        self.dir
            .join(&id.uid)
            .join(&id.container)
            .join(format!("{}.log", id.restart))
    }

    /// Opens a log for appending.
    pub(crate) fn writer(self: &Arc<Self>, id: LogId) -> io::Result<LogWriter> {
        let path = self.path(&id);
        std::fs::create_dir_all(path.parent().unwrap_or_else(|| Path::new(".")))?;
        let file = File::options().create(true).append(true).open(path)?;
        let told = watch::Sender::new(0);
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id.clone(), told.clone());
        Ok(LogWriter::new(self.clone(), id, file, told))
    }

    /// Returns a writer whose output is discarded.
    pub(crate) fn nowhere(self: &Arc<Self>) -> io::Result<LogWriter> {
        let file = File::options().write(true).open("/dev/null")?;
        let id = LogId {
            uid: String::new(),
            container: String::new(),
            restart: 0,
        };
        Ok(LogWriter::new(
            self.clone(),
            id,
            file,
            watch::Sender::new(0),
        ))
    }

    /// Returns whether the log exists.
    pub(crate) fn has(&self, id: &LogId) -> bool {
        self.path(id).exists()
    }

    /// Deletes a pod's logs.
    pub(crate) fn forget(&self, uid: &str) {
        if let Err(error) = std::fs::remove_dir_all(self.dir.join(uid))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, uid, "the logs of a deleted pod could not be removed");
        }
    }

    /// Returns the end of a log, for a termination message: at most 80 lines and 2048 bytes.
    pub(crate) fn tail(&self, id: &LogId) -> String {
        let bytes = std::fs::read(self.path(id)).unwrap_or_default();
        let mut text = Vec::new();
        let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
        for line in &lines[lines.len().saturating_sub(80)..] {
            if let Some(line) = Line::parse(line) {
                text.extend_from_slice(line.text);
                if line.whole {
                    text.push(b'\n');
                }
            }
        }
        let from = text.len().saturating_sub(2048);
        String::from_utf8_lossy(&text[from..]).into_owned()
    }
}
