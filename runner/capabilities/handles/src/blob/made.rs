//! Bytes that are created on first use.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::PIECE;

/// Writes a blob's bytes; called at most once.
type Maker = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

/// A file that is created on first use, and the folder that holds it.
pub(super) struct Made {
    folder: PathBuf,
    state: Mutex<Making>,
}

enum Making {
    Not(Maker),
    Done(Arc<File>, u64),
    Failed(String),
}

impl Made {
    pub(super) fn new(folder: PathBuf, make: Maker) -> Self {
        Self {
            folder,
            state: Mutex::new(Making::Not(make)),
        }
    }

    /// Returns the number of bytes, once they are created.
    pub(super) fn size(&self) -> Option<u64> {
        match &*self.lock() {
            Making::Done(_, size) => Some(*size),
            _ => None,
        }
    }

    /// Returns the file and its size. Blocks while the file is created. If that fails, every call
    /// returns the error.
    pub(super) fn file(&self) -> io::Result<(Arc<File>, u64)> {
        let mut state = self.lock();
        // The state if the maker panics.
        let interrupted = Making::Failed("it was interrupted".to_owned());
        let made = match std::mem::replace(&mut *state, interrupted) {
            Making::Not(make) => self.write(make).map_err(|error| error.to_string()),
            Making::Done(file, size) => Ok((file, size)),
            Making::Failed(why) => Err(why),
        };
        *state = match &made {
            Ok((file, size)) => Making::Done(Arc::clone(file), *size),
            Err(why) => Making::Failed(why.clone()),
        };
        made.map_err(io::Error::other)
    }

    fn write(&self, make: Maker) -> io::Result<(Arc<File>, u64)> {
        let file = tempfile::tempfile_in(&self.folder)?;
        let mut writer = io::BufWriter::with_capacity(PIECE, file);
        make(&mut writer)?;
        let file = writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        let size = file.metadata()?.len();
        Ok((Arc::new(file), size))
    }

    fn lock(&self) -> MutexGuard<'_, Making> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
