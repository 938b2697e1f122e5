use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use crate::{StateError, Writer, own};

/// The maximum number of retries while another process only checks the lock, and the delay between
/// two of them.
const MOST_LOOKS: u32 = 100;
const LOOK: Duration = Duration::from_millis(1);

/// A lock on a run that excludes other writers. The operating system releases it when the process
/// ends, even if it is killed.
#[derive(Debug)]
pub struct RunLock {
    file: File,
}

impl RunLock {
    pub(crate) fn take(path: &Path, run: &str) -> Result<Self, StateError> {
        let mut file = open(path)?;
        let mut looks = 0;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                // A process that only checks for a writer holds the shared lock for a moment. A
                // writer never holds a shared lock.
                Err(TryLockError::WouldBlock) if looks < MOST_LOOKS && is_shared(&file) => {
                    looks += 1;
                    std::thread::sleep(LOOK);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StateError::Locked {
                        run: run.to_owned(),
                        pid: read_pid(&mut file),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(StateError::io("lock", path)(error)),
            }
        }
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)).map(drop))
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(StateError::io("write", path))?;
        Ok(Self { file })
    }

    /// Returns the process that holds the lock, or that was killed while holding it.
    pub(crate) fn writer(path: &Path) -> Writer {
        let Ok(mut file) = own::read(path) else {
            return Writer::Nobody;
        };
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Writer::Alive(read_pid(&mut file)),
            // A process that releases the lock empties the file.
            Ok(()) | Err(TryLockError::Error(_)) => {
                read_pid(&mut file).map_or(Writer::Nobody, Writer::Gone)
            }
        }
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // A stale pid could belong to an unrelated process.
        let emptied = self.file.set_len(0);
        if let Err(error) = emptied.and(self.file.unlock()) {
            tracing::warn!(%error, "the lock of a run could not be released cleanly");
        }
    }
}

fn open(path: &Path) -> Result<File, StateError> {
    own::open_or_make(path)
}

/// Returns whether no process holds the lock exclusively.
fn is_shared(file: &File) -> bool {
    let shared = file.try_lock_shared().is_ok();
    if shared {
        // Fails only if the file was never locked.
        let _ = file.unlock();
    }
    shared
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_looks_whether_somebody_writes_keeps_nobody_from_writing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        drop(open(&path).expect("made"));
        let look = File::open(&path).expect("there");
        look.lock_shared().expect("free");
        let (path, taking) = (&path, std::sync::Barrier::new(2));
        std::thread::scope(|scope| {
            let taken = scope.spawn(|| {
                taking.wait();
                RunLock::take(path, "r1").map(drop)
            });
            taking.wait();
            drop(look);
            assert!(taken.join().expect("no panic").is_ok());
        });
        let _lock = RunLock::take(path, "r1").expect("free");
        assert!(matches!(
            RunLock::take(path, "r1"),
            Err(StateError::Locked { pid: Some(_), .. })
        ));
    }
}
