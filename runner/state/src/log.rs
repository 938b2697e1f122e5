use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::{StateError, own};

/// The longest line that is read back whole, in bytes; the rest of a longer one stays in the file.
const MAX_LINE: u64 = 1024 * 1024;

/// Appends lines to one attempt's log file. The journal keeps the offset of each.
#[derive(Debug)]
pub struct AttemptLog {
    file: File,
    path: PathBuf,
    length: u64,
}

impl AttemptLog {
    /// Opens the file, or makes it. `journaled` is the offset of the last line that the journal
    /// knows: what stands behind that line was never seen by anybody and is cut.
    pub(crate) fn open(path: &Path, journaled: Option<u64>) -> Result<Self, StateError> {
        let io = || StateError::io("open", path);
        let mut file = own::open_or_make(path)?;
        let length = match journaled {
            Some(offset) => end_of_line(&mut file, offset).map_err(io())?,
            None => 0,
        };
        file.set_len(length)
            .and_then(|()| file.seek(SeekFrom::Start(length)).map(drop))
            .map_err(io())?;
        Ok(Self {
            file,
            path: path.to_owned(),
            length,
        })
    }

    /// Appends one line, given without its end, and answers its offset. A line end inside becomes
    /// a space: a line is a line.
    pub fn append(&mut self, line: &str) -> Result<u64, StateError> {
        let offset = self.length;
        let mut bytes = line.replace('\n', " ").into_bytes();
        bytes.push(b'\n');
        self.file
            .write_all(&bytes)
            .map_err(StateError::io("write", &self.path))?;
        self.length += bytes.len() as u64;
        Ok(offset)
    }
}

/// Reads lines back from attempts' log files; those of one file that follow on each other fast.
#[derive(Debug, Default)]
pub struct LogReader {
    open: Option<(PathBuf, BufReader<File>, u64)>,
}

impl LogReader {
    /// The line that begins at `offset` of a log file, without its end; of one over 1 MiB the
    /// beginning.
    pub fn line_at(&mut self, path: &Path, offset: u64) -> Result<String, StateError> {
        let mut line = self.read(path, offset)?;
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    fn read(&mut self, path: &Path, offset: u64) -> Result<Vec<u8>, StateError> {
        let io = || StateError::io("read", path);
        let (mut file, at) = match self.open.take() {
            Some((open, file, at)) if open == path => (file, at),
            _ => (BufReader::new(own::read(path)?), 0),
        };
        // What is in the buffer stays there.
        match i64::try_from(i128::from(offset) - i128::from(at)) {
            Ok(distance) => file.seek_relative(distance).map_err(io())?,
            Err(_) => file.seek(SeekFrom::Start(offset)).map(drop).map_err(io())?,
        }
        let mut line = Vec::new();
        let read = (&mut file)
            .take(MAX_LINE)
            .read_until(b'\n', &mut line)
            .map_err(io())?;
        self.open = Some((path.to_owned(), file, offset + read as u64));
        Ok(line)
    }
}

/// Where the line that begins at `offset` ends; the file's length if it has no end.
fn end_of_line(file: &mut File, offset: u64) -> io::Result<u64> {
    let length = file.metadata()?.len();
    if offset >= length {
        return Ok(length);
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut reader = BufReader::new(file);
    Ok(offset + reader.skip_until(b'\n')? as u64)
}
