//! Reads a journal record by record, and skips damaged records.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sidestep_events::{Event, Foreign, Header, JOURNAL_VERSION, Record};

use crate::{Damage, StateError, frame, own};

/// The number of bytes that are read from the file at once.
const CHUNK: usize = 256 * 1024;

/// The next item in a journal.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A whole record.
    Record(Record),
    /// Bytes that are not a valid record any more. Whole records may follow.
    Damage(Damage),
}

/// Reads a journal from its beginning, or a part of it. It keeps one record in memory, not all.
#[derive(Debug)]
pub struct JournalReader {
    file: File,
    path: PathBuf,
    /// The bytes read from the file; the unused ones begin at `start`.
    buffer: Vec<u8>,
    start: usize,
    /// The offset of `start` in the file.
    at: u64,
    /// The number of bytes of the file that may still be read.
    left: u64,
    /// The number of the next record; the header's is 1.
    number: u64,
    /// The number of whole records so far.
    whole: u64,
    torn: bool,
}

impl JournalReader {
    /// Opens a journal and reads its header. If the header is damaged, but a later record repeats
    /// its content, the damage is the first entry.
    ///
    /// Fails when the file is not a journal, or its format is newer than [`JOURNAL_VERSION`].
    pub fn open(path: &Path) -> Result<(Header, Self), StateError> {
        let mut reader = Self::part(path, 0, u64::MAX)?;
        if let Some(payload) = reader.payload()? {
            let header = read_header(&payload)
                .map_err(|error| error.unwrap_or_else(|| StateError::NotAJournal(path.into())))?;
            return Ok((header, reader));
        }
        let mut again = Self::part(path, 0, u64::MAX)?;
        while let Some(entry) = again.next_entry()? {
            if let Entry::Record(Record::Event(envelope)) = entry
                && let Event::RunStarted(started) = envelope.event
            {
                let header = Header {
                    format: JOURNAL_VERSION,
                    writer: format!("sidestep {}", started.version.exact()),
                    run: envelope.run.into_exact(),
                    plan_digest: started.plan_digest.into_exact(),
                    sandbox: started.sandbox.map(Foreign::into_exact),
                    // These are needed only to resume the run, which a damaged journal does not allow.
                    caller: None,
                    workspace: None,
                };
                return Ok((header, Self::part(path, 0, u64::MAX)?));
            }
        }
        Err(StateError::NotAJournal(path.to_owned()))
    }

    /// Reads the records between the offsets `from` and `to`, which must be record boundaries.
    pub(crate) fn part(path: &Path, from: u64, to: u64) -> Result<Self, StateError> {
        let mut file = own::read(path)?;
        file.seek(SeekFrom::Start(from))
            .map_err(StateError::io("read", path))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            buffer: Vec::new(),
            start: 0,
            at: from,
            left: to.saturating_sub(from),
            number: 1,
            whole: 0,
            torn: false,
        })
    }

    /// Returns the next entry, or `None` at the end. A later call checks whether more was written.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, StateError> {
        loop {
            if let Some(payload) = self.payload()? {
                // A whole frame with an unknown record comes from a later minor version of the
                // format. Readers skip it.
                match serde_json::from_slice(&payload) {
                    Ok(record) => return Ok(Some(Entry::Record(record))),
                    Err(_) => continue,
                }
            }
            self.fill(usize::MAX)?;
            let rest = self.buffer.get(self.start..).unwrap_or_default();
            let skipped = match frame::find(rest) {
                Some(next) => next,
                None if rest.is_empty() || frame::is_torn(rest) => {
                    self.torn = !rest.is_empty();
                    self.forget_rest()?;
                    return Ok(None);
                }
                None => rest.len(),
            };
            let damage = Damage {
                record: self.number,
                from: self.at,
                to: self.at + skipped as u64,
            };
            self.advance(skipped);
            return Ok(Some(Entry::Damage(damage)));
        }
    }

    /// Returns whether the last record is incomplete.
    pub fn is_torn(&self) -> bool {
        self.torn
    }

    /// Returns the offset up to which the file was read.
    pub fn position(&self) -> u64 {
        self.at
    }

    /// Returns the number of whole records so far, including the header.
    pub fn whole(&self) -> u64 {
        self.whole
    }

    /// Returns the payload of the next frame, if it is whole.
    fn payload(&mut self) -> Result<Option<Vec<u8>>, StateError> {
        self.fill(8)?;
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        if let Some(length) = frame::length(rest) {
            self.fill(length)?;
        }
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        let Some((payload, length)) = frame::decode(rest) else {
            return Ok(None);
        };
        let payload = payload.to_vec();
        self.whole += 1;
        self.advance(length);
        Ok(Some(payload))
    }

    /// Discards the unused bytes, so that they are read again: the next writer cuts an incomplete
    /// record.
    fn forget_rest(&mut self) -> Result<(), StateError> {
        self.left += (self.buffer.len() - self.start) as u64;
        self.buffer.clear();
        self.start = 0;
        self.file
            .seek(SeekFrom::Start(self.at))
            .map(drop)
            .map_err(StateError::io("read", &self.path))
    }

    fn advance(&mut self, bytes: usize) {
        self.start += bytes;
        self.at += bytes as u64;
        self.number += 1;
    }

    /// Reads until `wanted` unused bytes are in the buffer, or the end is reached.
    fn fill(&mut self, wanted: usize) -> Result<(), StateError> {
        if self.buffer.len() - self.start >= wanted {
            return Ok(());
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        while self.buffer.len() < wanted && self.left > 0 {
            let missing = (wanted - self.buffer.len()).max(CHUNK) as u64;
            let read = (&mut self.file)
                .take(missing.min(self.left))
                .read_to_end(&mut self.buffer)
                .map_err(StateError::io("read", &self.path))?;
            self.left -= read as u64;
            if read == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// Reads only the format's version first, since the rest of a newer header may look different.
fn read_header(payload: &[u8]) -> Result<Header, Option<StateError>> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
        #[serde(default)]
        writer: String,
        #[serde(default)]
        run: String,
    }
    let Format {
        format,
        writer,
        run,
    } = serde_json::from_slice(payload).map_err(|_| None)?;
    if format > JOURNAL_VERSION {
        return Err(Some(StateError::NewerFormat {
            run,
            format,
            writer,
        }));
    }
    serde_json::from_slice(payload).map_err(|_| None)
}
