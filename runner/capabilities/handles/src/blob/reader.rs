//! A reader of a blob.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;

use super::fault::own;

enum Opened {
    Bytes(Bytes),
    File(Arc<File>),
}

/// Reads a blob from its beginning; readers are independent of each other.
pub struct BlobReader {
    bytes: Opened,
    at: u64,
    end: u64,
}

impl BlobReader {
    pub(super) fn of_bytes(bytes: Bytes) -> Self {
        let end = bytes.len() as u64;
        Self {
            bytes: Opened::Bytes(bytes),
            at: 0,
            end,
        }
    }

    pub(super) fn of_file(file: Arc<File>, end: u64) -> Self {
        Self {
            bytes: Opened::File(file),
            at: 0,
            end,
        }
    }

    /// Returns the total number of bytes.
    pub fn size(&self) -> u64 {
        self.end
    }
}

impl Read for BlobReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let wanted = into.len().min(left);
        if wanted == 0 {
            return Ok(0);
        }
        let into = &mut into[..wanted];
        let file = match &self.bytes {
            Opened::Bytes(bytes) => {
                let at = usize::try_from(self.at).unwrap_or(usize::MAX);
                into.copy_from_slice(&bytes[at..at + wanted]);
                self.at += wanted as u64;
                return Ok(wanted);
            }
            Opened::File(file) => file,
        };
        let count = file.read_at(into, self.at).map_err(own)?;
        if count == 0 {
            return Err(own(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file became shorter while it was read",
            )));
        }
        self.at += count as u64;
        Ok(count)
    }
}

impl fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobReader({} of {})", self.at, self.end)
    }
}
