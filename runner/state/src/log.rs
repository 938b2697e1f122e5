use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::{StateError, own};

/// The maximum length of a text that is read back, in bytes. A pod's line comes in pieces of 64
/// KiB. Before a piece, a mask may hold back 18 times a secret of 1 MiB, plus 64 KiB, which is
/// still less.
const MAX_TEXT: u64 = 32 << 20;
/// The maximum number of log files that are open for reading.
const OPEN: usize = 32;

/// Appends lines to one attempt's log file. The journal stores their offsets.
#[derive(Debug)]
pub struct AttemptLog {
    file: File,
    path: PathBuf,
    length: u64,
}

impl AttemptLog {
    /// Opens or creates the file. `journaled` is the offset at which the last journaled line ends:
    /// bytes after it were never shown, and are cut.
    pub(crate) fn open(path: &Path, journaled: Option<u64>) -> Result<Self, StateError> {
        let io = || StateError::io("open", path);
        let mut file = own::open_or_make(path)?;
        // After a crash of the machine, journaled lines may be missing. New lines go after their
        // place.
        let length = journaled.unwrap_or(0);
        file.set_len(length)
            .and_then(|()| file.seek(SeekFrom::Start(length)).map(drop))
            .map_err(io())?;
        Ok(Self {
            file,
            path: path.to_owned(),
            length,
        })
    }

    /// Appends newline-terminated lines and returns the offset of the first one.
    pub fn append(&mut self, lines: &[u8]) -> Result<u64, StateError> {
        let offset = self.length;
        self.file
            .write_all(lines)
            .map_err(StateError::io("write", &self.path))?;
        self.length += lines.len() as u64;
        Ok(offset)
    }
}

/// Reads lines back from attempts' log files. Reading consecutive lines of one file is fast.
#[derive(Debug, Default)]
pub struct LogReader {
    /// The files that were read last, the latest at the end, each with its current offset.
    open: Vec<(PathBuf, BufReader<File>, u64)>,
}

impl LogReader {
    /// Returns the bytes at `offset` of a log file.
    ///
    /// # Errors The file can't be read, or has fewer bytes there.
    pub fn bytes_at(
        &mut self,
        path: &Path,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, StateError> {
        let io = || StateError::io("read", path);
        let known = self.open.iter().position(|(open, ..)| open == path);
        let (mut file, at) = match known.map(|known| self.open.remove(known)) {
            Some((_, file, at)) => (file, at),
            None => (BufReader::new(own::read(path)?), 0),
        };
        // A relative seek keeps the buffer.
        match i64::try_from(i128::from(offset) - i128::from(at)) {
            Ok(distance) => file.seek_relative(distance).map_err(io())?,
            Err(_) => file.seek(SeekFrom::Start(offset)).map(drop).map_err(io())?,
        }
        let mut text = Vec::new();
        let read = (&mut file)
            .take(length.min(MAX_TEXT))
            .read_to_end(&mut text)
            .map_err(io())?;
        let missing = length.saturating_sub(read as u64);
        if self.open.len() >= OPEN {
            self.open.remove(0);
        }
        self.open
            .push((path.to_owned(), file, offset + read as u64));
        if missing > 0 {
            return Err(StateError::Short {
                path: path.to_owned(),
                missing,
            });
        }
        Ok(text)
    }
}
