//! Writing a log.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::line::write;
use super::{LogId, Logs};

/// The maximum length of a line, in bytes; longer lines are split as in containerd.
const PIECE: usize = 16 << 10;

/// One of a container's two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A writer for a container's output. Clones write to the same log.
#[derive(Debug, Clone)]
pub struct LogWriter(Arc<Open>);

#[derive(Debug)]
struct Open {
    logs: Arc<Logs>,
    id: LogId,
    state: Mutex<Pending>,
}

#[derive(Debug)]
struct Pending {
    file: File,
    told: watch::Sender<u64>,
    /// The text of each stream after its last line end.
    rest: [Vec<u8>; 2],
}

impl LogWriter {
    pub(super) fn new(logs: Arc<Logs>, id: LogId, file: File, told: watch::Sender<u64>) -> Self {
        Self(Arc::new(Open {
            logs,
            id,
            state: Mutex::new(Pending {
                file,
                told,
                rest: [Vec::new(), Vec::new()],
            }),
        }))
    }

    /// Appends any bytes. The timestamp of a line is the time of its end.
    pub fn write(&self, output: Output, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        let rest = &mut state.rest[output as usize];
        rest.extend_from_slice(bytes);
        let mut text = Vec::new();
        let mut at = 0;
        while at < rest.len() {
            let window = &rest[at..rest.len().min(at + PIECE)];
            match window.iter().position(|b| *b == b'\n') {
                Some(end) => {
                    write(&mut text, output, true, &window[..end]);
                    at += end + 1;
                }
                None if window.len() == PIECE => {
                    write(&mut text, output, false, window);
                    at += PIECE;
                }
                None => break,
            }
        }
        rest.drain(..at);
        if !text.is_empty() {
            state.file.write_all(&text)?;
            state.told.send_modify(|n| *n += 1);
        }
        Ok(())
    }

    /// Ends the log. A last line without a line end is kept, and followers are released.
    pub(crate) fn close(&self) {
        self.0.close();
    }

    pub(crate) fn id(&self) -> &LogId {
        &self.0.id
    }
}

impl Open {
    fn close(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = Vec::new();
        for (output, n) in [(Output::Stdout, 0), (Output::Stderr, 1)] {
            let rest = std::mem::take(&mut state.rest[n]);
            if !rest.is_empty() {
                write(&mut text, output, false, &rest);
            }
        }
        if let Err(error) = state.file.write_all(&text) {
            tracing::warn!(%error, "the end of a container's log could not be written");
        }
        self.logs
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.id);
        // This drops the last sender: followers read the rest and end.
        state.told = watch::Sender::new(0);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.close();
    }
}
