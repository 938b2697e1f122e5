use std::io::{self, Write};

use sha2::{Digest as _, Sha256};

/// A writer that passes bytes on, counts them and computes their digest.
pub(crate) struct Hashed<Out> {
    out: Out,
    hash: Sha256,
    size: u64,
}

/// The digest and the size of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blob {
    /// SHA-256, in hexadecimal digits.
    pub(crate) sha256: String,
    /// The size in bytes.
    pub(crate) size: u64,
}

impl Blob {
    /// Returns the blob of these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self {
            sha256: hex::encode(Sha256::digest(bytes)),
            size: bytes.len() as u64,
        }
    }

    /// Returns the digest as manifests have it.
    pub(crate) fn digest(&self) -> String {
        format!("sha256:{}", self.sha256)
    }
}

impl<Out: Write> Hashed<Out> {
    pub(crate) fn new(out: Out) -> Self {
        Self {
            out,
            hash: Sha256::new(),
            size: 0,
        }
    }

    pub(crate) fn finish(self) -> (Out, Blob) {
        let blob = Blob {
            sha256: hex::encode(self.hash.finalize()),
            size: self.size,
        };
        (self.out, blob)
    }
}

impl<Out: Write> Write for Hashed<Out> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
