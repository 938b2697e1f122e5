use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::Stream;
use tokio::sync::mpsc;

/// The size of a piece that is read at once.
const PIECE: usize = 256 * 1024;

/// Writes a blob's bytes; called at most once.
type Maker = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

/// Bytes that the host holds for a plugin: a file that is open, bytes in memory, or bytes that are
/// made (and kept in a temporary file) when they are first read.
#[derive(Clone)]
pub struct Blob {
    digest: Option<String>,
    tree: bool,
    source: Arc<Source>,
}

enum Source {
    Bytes(Bytes),
    File {
        file: File,
        size: u64,
    },
    Made {
        folder: PathBuf,
        state: Mutex<Making>,
    },
}

enum Making {
    Not(Maker),
    Done(Arc<File>, u64),
    Failed(String),
}

impl Blob {
    /// Bytes in memory.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self {
            digest: None,
            tree: false,
            source: Arc::new(Source::Bytes(bytes.into())),
        }
    }

    /// An open file, read from its beginning to its present end.
    pub fn from_file(file: File) -> io::Result<Self> {
        let size = file.metadata()?.len();
        Ok(Self {
            digest: None,
            tree: false,
            source: Arc::new(Source::File { file, size }),
        })
    }

    /// Bytes that `make` writes when they are first read, kept in an unnamed file in `folder`.
    pub fn made(
        folder: PathBuf,
        make: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
    ) -> Self {
        Self {
            digest: None,
            tree: false,
            source: Arc::new(Source::Made {
                folder,
                state: Mutex::new(Making::Not(Box::new(make))),
            }),
        }
    }

    /// Says what the bytes' digest is (`sha256:` and 64 hex digits).
    #[must_use]
    pub fn with_digest(mut self, digest: impl Into<String>) -> Self {
        self.digest = Some(digest.into());
        self
    }

    /// Says that the bytes are the archive (tar.gz) of a tree.
    #[must_use]
    pub fn of_tree(mut self) -> Self {
        self.tree = true;
        self
    }

    /// Whether the bytes are the archive of a tree.
    pub fn is_tree(&self) -> bool {
        self.tree
    }

    /// The digest, if it is known without reading the bytes.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// The number of bytes, if it is known without making them.
    pub fn size(&self) -> Option<u64> {
        match &*self.source {
            Source::Bytes(bytes) => Some(bytes.len() as u64),
            Source::File { size, .. } => Some(*size),
            Source::Made { state, .. } => {
                match &*state.lock().unwrap_or_else(PoisonError::into_inner) {
                    Making::Done(_, size) => Some(*size),
                    _ => None,
                }
            }
        }
    }

    /// Makes the bytes if need be and returns their number. Blocks: call it where blocking is
    /// allowed.
    pub fn prepare(&self) -> io::Result<u64> {
        Ok(self.reader()?.end)
    }

    /// A reader of all bytes, as often as wanted. Blocks: call it where blocking is allowed.
    pub fn reader(&self) -> io::Result<BlobReader> {
        let (bytes, end) = match &*self.source {
            Source::Bytes(bytes) => (Opened::Bytes(bytes.clone()), bytes.len() as u64),
            Source::File { size, .. } => (Opened::Source(Arc::clone(&self.source)), *size),
            Source::Made { folder, state } => {
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                let (file, size) = make(folder, &mut state)?;
                (Opened::File(file), size)
            }
        };
        Ok(BlobReader { bytes, at: 0, end })
    }

    /// All bytes in pieces, read on a thread where blocking is allowed.
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
                // Nobody listens any more: the call was given up.
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

fn make(folder: &std::path::Path, state: &mut Making) -> io::Result<(Arc<File>, u64)> {
    if let Making::Not(_) = state {
        let before = std::mem::replace(state, Making::Failed("it was interrupted".to_owned()));
        let Making::Not(make) = before else {
            return Err(io::Error::other("a blob changed while it was held"));
        };
        let written = tempfile::tempfile_in(folder).and_then(|file| {
            let mut writer = io::BufWriter::with_capacity(PIECE, file);
            make(&mut writer)?;
            let file = writer
                .into_inner()
                .map_err(io::IntoInnerError::into_error)?;
            let size = file.metadata()?.len();
            Ok((file, size))
        });
        *state = match written {
            Ok((file, size)) => Making::Done(Arc::new(file), size),
            Err(error) => Making::Failed(error.to_string()),
        };
    }
    match state {
        Making::Done(file, size) => Ok((Arc::clone(file), *size)),
        Making::Failed(why) => Err(io::Error::other(why.clone())),
        Making::Not(_) => Err(io::Error::other("a blob was not made")),
    }
}

enum Opened {
    Bytes(Bytes),
    Source(Arc<Source>),
    File(Arc<File>),
}

/// Reads a blob from its beginning; readers don't disturb each other.
pub struct BlobReader {
    bytes: Opened,
    at: u64,
    end: u64,
}

impl BlobReader {
    /// The number of bytes in all.
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
            Opened::Source(source) => match &**source {
                Source::File { file, .. } => file,
                _ => return Err(io::Error::other("a blob is not a file")),
            },
        };
        let count = file.read_at(into, self.at)?;
        if count == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file became shorter while it was read",
            ));
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

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;

    use super::*;

    fn all(blob: &Blob) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        blob.reader()?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn a_made_blob_is_made_once_when_it_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let blob = Blob::made(folder.path().to_owned(), |out| out.write_all(b"made"));
        assert_eq!(blob.size(), None);
        assert_eq!(all(&blob).expect("made"), b"made");
        assert_eq!(all(&blob.clone()).expect("still there"), b"made");
        assert_eq!(blob.size(), Some(4));
    }

    #[test]
    fn a_blob_that_can_t_be_made_says_why_each_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let blob = Blob::made(folder.path().to_owned(), |_| {
            Err(io::Error::other("no room"))
        });
        for _ in 0..2 {
            assert_eq!(all(&blob).expect_err("it failed").to_string(), "no room");
        }
    }

    #[tokio::test]
    async fn a_file_is_streamed_whole() {
        let mut file = tempfile::tempfile().expect("a file");
        let content: Vec<u8> = (0..PIECE * 2 + 7)
            .map(|i| u8::try_from(i % 251).expect("small"))
            .collect();
        file.write_all(&content).expect("written");
        let blob = Blob::from_file(file).expect("open");
        let mut got = Vec::new();
        let mut stream = std::pin::pin!(blob.stream());
        while let Some(piece) = stream.next().await {
            got.extend_from_slice(&piece.expect("read"));
        }
        assert_eq!(got, content);
    }

    #[test]
    fn a_file_that_shrinks_is_an_error_not_a_short_blob() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), b"12345").expect("written");
        let blob = Blob::from_file(File::open(file.path()).expect("open")).expect("open");
        std::fs::write(file.path(), b"1").expect("written");
        assert_eq!(
            all(&blob).expect_err("it is short").kind(),
            io::ErrorKind::UnexpectedEof
        );
    }
}
