use std::pin::Pin;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use google_cloud_storage::streaming_source::{Seek, SizeHint, StreamingSource};
use sidestep_gate::Blob;

/// A callback that gets the number of bytes that have been read for sending.
pub(super) type Heard = Box<dyn Fn(u64) + Send + Sync>;

/// A blob as a source for the official client; after a lost connection it resumes where the server
/// stopped.
pub(super) struct BlobSource {
    blob: Blob,
    size: u64,
    stream: Option<Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send + Sync>>>,
    /// The number of bytes of the stream to skip before the next ones are sent.
    skip: u64,
    sent: u64,
    heard: Heard,
}

impl BlobSource {
    /// Creates a source of all bytes; `size` is their number.
    pub(super) fn new(blob: Blob, size: u64, heard: Heard) -> Self {
        Self {
            blob,
            size,
            stream: None,
            skip: 0,
            sent: 0,
            heard,
        }
    }
}

impl StreamingSource for BlobSource {
    type Error = std::io::Error;

    async fn next(&mut self) -> Option<Result<Bytes, Self::Error>> {
        loop {
            let blob = &self.blob;
            let stream = self.stream.get_or_insert_with(|| Box::pin(blob.stream()));
            let mut bytes = match stream.next().await? {
                Ok(bytes) => bytes,
                Err(error) => return Some(Err(error)),
            };
            let dropped = self.skip.min(bytes.len() as u64);
            self.skip -= dropped;
            // At most the chunk's own length, which is a usize.
            let bytes = bytes.split_off(usize::try_from(dropped).unwrap_or(bytes.len()));
            if bytes.is_empty() {
                continue;
            }
            self.sent += bytes.len() as u64;
            (self.heard)(self.sent);
            return Some(Ok(bytes));
        }
    }

    async fn size_hint(&self) -> Result<SizeHint, Self::Error> {
        Ok(SizeHint::with_exact(self.size - self.sent))
    }
}

impl Seek for BlobSource {
    type Error = std::io::Error;

    async fn seek(&mut self, offset: u64) -> Result<(), Self::Error> {
        self.stream = None;
        self.skip = offset;
        self.sent = offset;
        Ok(())
    }
}
