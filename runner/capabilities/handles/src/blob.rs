//! Bytes that stay in the host while plugins pass them on.

mod fault;
mod made;
mod reader;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use tokio::sync::mpsc;

pub use fault::{blob_failure, disk_failure};
pub use reader::BlobReader;

use crate::disk::Space;
use made::Made;

/// The size of a chunk that is read at once, in bytes.
const PIECE: usize = 256 * 1024;

/// Bytes that the host holds for a plugin: an open file, bytes in memory, or bytes that are created
/// (and kept in a temporary file) when they are first read.
#[derive(Clone)]
pub struct Blob {
    digest: Option<String>,
    tree: bool,
    source: Arc<Source>,
}

enum Source {
    Bytes(Bytes),
    File {
        file: Arc<File>,
        size: u64,
        /// The disk space of a temporary file.
        _space: Option<Space>,
    },
    Made(Made),
}

impl Blob {
    /// Creates a blob from bytes in memory.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self::of(Source::Bytes(bytes.into()))
    }

    /// Creates a blob from an open file, read from its beginning to its present end.
    pub fn from_file(file: File) -> io::Result<Self> {
        let size = file.metadata()?.len();
        Ok(Self::of(Source::File {
            file: Arc::new(file),
            size,
            _space: None,
        }))
    }

    /// Creates a blob from a temporary file, whose disk space is given back with the blob.
    pub fn from_temporary(file: File, space: Space) -> io::Result<Self> {
        let size = file.metadata()?.len();
        Ok(Self::of(Source::File {
            file: Arc::new(file),
            size,
            _space: Some(space),
        }))
    }

    /// Creates a blob whose bytes `make` writes when they are first read, kept in an unnamed file
    /// in `folder`. The file takes its disk space from `space`.
    pub fn made(
        folder: PathBuf,
        space: Space,
        make: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
    ) -> Self {
        Self::of(Source::Made(Made::new(folder, space, Box::new(make))))
    }

    fn of(source: Source) -> Self {
        Self {
            digest: None,
            tree: false,
            source: Arc::new(source),
        }
    }

    /// Sets the digest of the bytes (`sha256:` and 64 hex digits).
    #[must_use]
    pub fn with_digest(mut self, digest: impl Into<String>) -> Self {
        self.digest = Some(digest.into());
        self
    }

    /// Marks the bytes as the archive (tar.gz) of a tree.
    #[must_use]
    pub fn of_tree(mut self) -> Self {
        self.tree = true;
        self
    }

    /// Returns whether the bytes are the archive of a tree.
    pub fn is_tree(&self) -> bool {
        self.tree
    }

    /// Returns the digest, if it is known without reading the bytes.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// Returns the number of bytes, if it is known without creating them.
    pub fn size(&self) -> Option<u64> {
        match &*self.source {
            Source::Bytes(bytes) => Some(bytes.len() as u64),
            Source::File { size, .. } => Some(*size),
            Source::Made(made) => made.size(),
        }
    }

    /// Creates the bytes if necessary and returns their number. Blocks: call it only where blocking
    /// is allowed.
    pub fn prepare(&self) -> io::Result<u64> {
        Ok(self.reader()?.size())
    }

    /// Returns a reader of all bytes; it can be called any number of times. Blocks: call it only
    /// where blocking is allowed.
    pub fn reader(&self) -> io::Result<BlobReader> {
        Ok(match &*self.source {
            Source::Bytes(bytes) => BlobReader::of_bytes(bytes.clone()),
            Source::File { file, size, .. } => BlobReader::of_file(Arc::clone(file), *size),
            Source::Made(made) => {
                let (file, size) = made.file().map_err(fault::own)?;
                BlobReader::of_file(file, size)
            }
        })
    }

    /// Streams all bytes in chunks, read on a thread where blocking is allowed.
    pub fn stream(&self) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
        let (pieces, arriving) = mpsc::channel(2);
        let blob = self.clone();
        tokio::task::spawn_blocking(move || {
            let mut reader = match blob.reader() {
                Ok(reader) => reader,
                Err(error) => return drop(pieces.blocking_send(Err(error))),
            };
            loop {
                let mut piece = vec![0; PIECE];
                let piece = match reader.read(&mut piece) {
                    Ok(0) => return,
                    Ok(count) => {
                        piece.truncate(count);
                        Ok(Bytes::from(piece))
                    }
                    Err(error) => Err(error),
                };
                let failed = piece.is_err();
                // The receiver is gone: the call was abandoned.
                if pieces.blocking_send(piece).is_err() || failed {
                    return;
                }
            }
        });
        futures::stream::unfold(arriving, |mut arriving| async move {
            arriving.recv().await.map(|piece| (piece, arriving))
        })
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blob")
            .field("digest", &self.digest)
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}
