//! The bytes of objects on their way to disk: hashed as a stream, never held as a whole.

use sidestep_sandbox_base::random_id;
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// The hashes and the size of complete content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digests {
    pub(crate) size: u64,
    pub(crate) crc32c: u32,
    pub(crate) md5: [u8; 16],
}

/// The running hashes of the bytes so far.
#[derive(Clone)]
pub(crate) struct Hasher {
    size: u64,
    crc32c: u32,
    md5: md5::Context,
}

impl Hasher {
    pub(crate) fn new() -> Self {
        Self {
            size: 0,
            crc32c: 0,
            md5: md5::Context::new(),
        }
    }

    /// Hashes a file's content, read through a small buffer.
    pub(crate) fn of_file(path: &Path) -> io::Result<Self> {
        let mut hasher = Self::new();
        let mut file = File::open(path)?;
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                return Ok(hasher);
            }
            hasher.update(&buffer[..read]);
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.crc32c = crc32c::crc32c_append(self.crc32c, bytes);
        self.md5.consume(bytes);
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn finish(self) -> Digests {
        Digests {
            size: self.size,
            crc32c: self.crc32c,
            md5: self.md5.finalize().0,
        }
    }
}

/// A content file without an object. Dropping it deletes the file, unless it is kept.
pub(crate) struct Incoming {
    id: String,
    path: PathBuf,
    file: File,
    hasher: Hasher,
    kept: bool,
}

impl Incoming {
    pub(crate) fn create(folder: &Path) -> io::Result<Self> {
        let id = random_id();
        let path = folder.join(&id);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)?;
        Ok(Self {
            id,
            path,
            file,
            hasher: Hasher::new(),
            kept: false,
        })
    }

    /// Moves in a file whose bytes are already hashed.
    pub(crate) fn adopt(folder: &Path, from: &Path, hasher: Hasher) -> io::Result<Self> {
        let id = random_id();
        let path = folder.join(&id);
        std::fs::rename(from, &path)?;
        Ok(Self {
            file: File::open(&path)?,
            id,
            path,
            hasher,
            kept: false,
        })
    }

    /// Appends bytes. A write of one network frame into the page cache is too short to be worth a
    /// thread, and leaves nothing in flight when it is cancelled.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        Ok(())
    }

    pub(crate) fn digests(&self) -> Digests {
        self.hasher.clone().finish()
    }

    /// Keeps the file, since the object that names it is about to be written. Returns its name.
    pub(crate) fn keep(mut self) -> String {
        self.kept = true;
        std::mem::take(&mut self.id)
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.kept && std::fs::remove_file(&self.path).is_err() {
            // The next start deletes it, as a file that no object names.
            tracing::debug!("an unfinished upload's file could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_the_published_ones_and_an_unkept_file_goes() {
        let folder = tempfile::tempdir().unwrap();
        let mut incoming = Incoming::create(folder.path()).unwrap();
        incoming.write(b"1234").unwrap();
        incoming.write(b"56789").unwrap();
        let digests = incoming.digests();
        assert_eq!(digests.crc32c, 0xE306_9283);
        assert_eq!(
            format!("{:x}", md5::Digest(digests.md5)),
            "25f9e794323b453885f5181f1b624d0b"
        );
        drop(incoming);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
