//! Bytes that are created on first use.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::PIECE;
use crate::disk::{Charged, DiskFull, Space};

/// Writes a blob's bytes; called at most once.
type Maker = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

/// A file that is created on first use, and the folder that holds it.
pub(super) struct Made {
    folder: PathBuf,
    state: Mutex<Making>,
    /// The number of bytes, once they are created. Outside of the lock, which is held while they
    /// are: its readers may not block.
    size: OnceLock<u64>,
}

enum Making {
    Not(Maker, Space),
    Done {
        file: Arc<File>,
        size: u64,
        /// The file's disk space, given back with the blob.
        _space: Space,
    },
    Failed(String, Option<DiskFull>),
}

impl Made {
    pub(super) fn new(folder: PathBuf, space: Space, make: Maker) -> Self {
        Self {
            folder,
            state: Mutex::new(Making::Not(make, space)),
            size: OnceLock::new(),
        }
    }

    /// Returns the number of bytes, once they are created. Does not block.
    pub(super) fn size(&self) -> Option<u64> {
        self.size.get().copied()
    }

    /// Returns the file and its size. Blocks while the file is created. If that fails, every call
    /// returns the error.
    pub(super) fn file(&self) -> io::Result<(Arc<File>, u64)> {
        let mut state = self.lock();
        // The state if the maker panics.
        let interrupted = Making::Failed("it was interrupted".to_owned(), None);
        *state = match std::mem::replace(&mut *state, interrupted) {
            Making::Not(make, mut space) => match self.write(make, &mut space) {
                Ok((file, size)) => Making::Done {
                    file,
                    size,
                    _space: space,
                },
                Err(error) => Making::Failed(error.to_string(), space.refused()),
            },
            made => made,
        };
        match &*state {
            Making::Done { file, size, .. } => {
                Ok((Arc::clone(file), *self.size.get_or_init(|| *size)))
            }
            Making::Failed(_, Some(full)) => Err((*full).into()),
            Making::Failed(why, None) => Err(io::Error::other(why.clone())),
            Making::Not(..) => Err(io::Error::other("it was not created")),
        }
    }

    fn write(&self, make: Maker, space: &mut Space) -> io::Result<(Arc<File>, u64)> {
        let out = tempfile::tempfile_in(&self.folder)?;
        let mut writer = io::BufWriter::with_capacity(PIECE, Charged { out, space });
        make(&mut writer)?;
        let file = writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .out;
        let size = file.metadata()?.len();
        Ok((Arc::new(file), size))
    }

    fn lock(&self) -> MutexGuard<'_, Making> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
