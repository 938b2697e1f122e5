//! The disk space of one incarnation's blobs.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sidestep_events::{Class, Failure, Owner, codes};

/// The folder for temporary files of a run's steps.
#[derive(Debug, Clone)]
pub struct Scratch(pub PathBuf);

/// The disk space that the blobs of one incarnation may use at the same time: opened objects,
/// archives and what is laid over them.
#[derive(Debug)]
pub struct Disk {
    limit: u64,
    used: AtomicU64,
}

impl Disk {
    /// Creates a budget of this many bytes.
    pub fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self {
            limit,
            used: AtomicU64::new(0),
        })
    }

    /// Returns the space of one blob, of which nothing is used yet.
    pub fn space(self: &Arc<Self>) -> Space {
        Space {
            disk: Arc::clone(self),
            bytes: 0,
            refused: None,
        }
    }
}

/// The disk space of one blob. Dropping it gives the space back.
#[derive(Debug)]
pub struct Space {
    disk: Arc<Disk>,
    bytes: u64,
    refused: Option<DiskFull>,
}

impl Space {
    /// Takes space for bytes that are about to be written.
    ///
    /// # Errors
    /// If the blobs of the incarnation would take more than its limit.
    pub fn take(&mut self, bytes: u64) -> Result<(), DiskFull> {
        let limit = self.disk.limit;
        let more = |used: u64| used.checked_add(bytes).filter(|all| *all <= limit);
        let used = &self.disk.used;
        if used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_err()
        {
            let full = DiskFull { limit };
            self.refused = Some(full);
            return Err(full);
        }
        self.bytes += bytes;
        Ok(())
    }

    /// Returns the refusal, if space was refused: what writes may replace the error by its own.
    pub fn refused(&self) -> Option<DiskFull> {
        self.refused
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        self.disk.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A writer that takes space for its bytes before it writes them.
#[derive(Debug)]
pub(crate) struct Charged<'s, W> {
    pub(crate) out: W,
    pub(crate) space: &'s mut Space,
}

impl<W: io::Write> io::Write for Charged<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.space.take(bytes.len() as u64)?;
        // All of them, because they were charged.
        self.out.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The blobs of an incarnation would take more disk space than its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the step's blobs would take more than {limit} bytes of this machine's disk")]
pub struct DiskFull {
    limit: u64,
}

impl DiskFull {
    /// Returns the failure. `what` completes "cannot …".
    pub fn failure(self, what: &str) -> Failure {
        Failure::new(
            Class::Exhausted,
            codes::limit::DISK,
            Owner::Plugin,
            format!("cannot {what}: {self}"),
        )
        .with_help("the plugin should drop each blob before it opens the next, or read less")
    }
}

impl From<DiskFull> for io::Error {
    fn from(full: DiskFull) -> Self {
        Self::other(full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_shared_and_given_back() {
        let disk = Disk::new(10);
        let (mut one, mut two) = (disk.space(), disk.space());
        assert_eq!(one.take(6), Ok(()));
        let full = DiskFull { limit: 10 };
        assert_eq!(two.take(5), Err(full));
        assert_eq!(two.refused(), Some(full));
        assert_eq!(two.take(4), Ok(()));
        drop(one);
        assert_eq!(two.take(6), Ok(()));
        assert_eq!(two.take(u64::MAX), Err(full));
        drop(two);
        assert_eq!(disk.space().take(10), Ok(()));
    }
}
