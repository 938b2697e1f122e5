use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::{StateError, Writer};

/// Holds a run against other writers for as long as it lives. The operating system releases it
/// when the process ends, however it ends.
#[derive(Debug)]
pub struct RunLock {
    file: File,
}

impl RunLock {
    pub(crate) fn take(path: &Path, run: &str) -> Result<Self, StateError> {
        let mut file = open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StateError::Locked {
                    run: run.to_owned(),
                    pid: read_pid(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(StateError::io("lock", path)(error)),
        }
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)).map(drop))
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(StateError::io("write", path))?;
        Ok(Self { file })
    }

    /// Who holds the lock, or was killed while holding it.
    pub(crate) fn writer(path: &Path) -> Writer {
        let Ok(mut file) = File::open(path) else {
            return Writer::Nobody;
        };
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Writer::Alive(read_pid(&mut file)),
            // Whoever gives the lock back empties the file.
            Ok(()) | Err(TryLockError::Error(_)) => {
                read_pid(&mut file).map_or(Writer::Nobody, Writer::Gone)
            }
        }
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // A stale pid would name an innocent process.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

fn open(path: &Path) -> Result<File, StateError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(StateError::io("open", path))
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
