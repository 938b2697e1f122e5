use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sidestep_events::{Event, Header, JOURNAL_VERSION, Record};

use crate::{StateError, frame};

/// What a journal's file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Journal {
    /// The first record.
    pub header: Header,
    /// All whole records after it, in order.
    pub records: Vec<Record>,
    /// Up to which byte the file is whole. What stands behind is a torn tail.
    pub whole: u64,
    /// Whether there is a torn tail.
    pub torn: bool,
}

/// Reads a journal up to its first torn or damaged record.
///
/// Fails when the header is not whole, or its format is newer than [`JOURNAL_VERSION`].
pub fn read_journal(path: &Path) -> Result<Journal, StateError> {
    let bytes = fs::read(path).map_err(StateError::io("read", path))?;
    let not_a_journal = || StateError::NotAJournal(path.to_owned());
    let (payload, mut at) = frame::decode(&bytes).ok_or_else(not_a_journal)?;
    let header = read_header(payload).map_err(|error| error.unwrap_or_else(not_a_journal))?;
    let mut records = Vec::new();
    while let Some((payload, length)) = frame::decode(bytes.get(at..).unwrap_or_default()) {
        // A whole frame that isn't a record we know is of a later minor version of the format:
        // readers skip what they don't know.
        if let Ok(record) = serde_json::from_slice(payload) {
            records.push(record);
        }
        at += length;
    }
    Ok(Journal {
        header,
        records,
        whole: at as u64,
        torn: at < bytes.len(),
    })
}

/// Reads only what names the format first, since the rest of a newer header may look different.
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

/// Appends to a journal. Each record is one `write`, so it survives the end of this process;
/// [`JournalWriter::sync`] makes it survive the machine's.
#[derive(Debug)]
pub struct JournalWriter {
    file: File,
    path: PathBuf,
    /// How many bytes hold whole records.
    length: u64,
    next_seq: u64,
}

impl JournalWriter {
    /// Makes a new journal that holds only the header. The file appears whole or not at all.
    ///
    /// Fails when there is one already.
    pub fn create(path: &Path, header: &Header) -> Result<Self, StateError> {
        if path.exists() {
            return Err(StateError::Exists(header.run.clone()));
        }
        let draft = path.with_extension("new");
        let frame = encode(&draft, header)?;
        let mut file = File::create(&draft).map_err(StateError::io("create", &draft))?;
        file.write_all(&frame)
            .and_then(|()| file.sync_all())
            .map_err(StateError::io("write", &draft))?;
        fs::rename(&draft, path).map_err(StateError::io("create", path))?;
        // The name is durable once its folder is.
        if let Some(folder) = path.parent() {
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(StateError::io("sync", folder))?;
        }
        Ok(Self {
            file,
            path: path.to_owned(),
            length: frame.len() as u64,
            next_seq: 1,
        })
    }

    /// Opens a journal to go on with it: cuts a torn tail, and counts on from the last event.
    pub fn open(path: &Path) -> Result<(Self, Journal), StateError> {
        let journal = read_journal(path)?;
        let file = OpenOptions::new()
            .append(true)
            .open(path)
            .map_err(StateError::io("open", path))?;
        if journal.torn {
            file.set_len(journal.whole)
                .and_then(|()| file.sync_all())
                .map_err(StateError::io("write", path))?;
        }
        let last = journal
            .records
            .iter()
            .rev()
            .find_map(|record| match record {
                Record::Event(envelope) => Some(envelope.seq),
                _ => None,
            });
        let writer = Self {
            file,
            path: path.to_owned(),
            length: journal.whole,
            next_seq: last.unwrap_or(0) + 1,
        };
        Ok((writer, journal))
    }

    /// The `seq` that the next event must carry.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Appends one record. The text of a log line that has its place in an attempt's log file is
    /// left out.
    ///
    /// When the write fails, what was written of it is cut again, so that later records stay
    /// readable.
    pub fn append(&mut self, record: &Record) -> Result<(), StateError> {
        let frame = match record {
            Record::Event(envelope) if has_text_elsewhere(&envelope.event) => {
                let mut envelope = envelope.clone();
                if let Event::Log(line) = &mut envelope.event {
                    line.message.clear();
                }
                encode(&self.path, &Record::Event(envelope))?
            }
            record => encode(&self.path, record)?,
        };
        if let Err(error) = self.file.write_all(&frame) {
            // Best effort: a reader stops at the torn record anyway.
            let _ = self.file.set_len(self.length);
            return Err(StateError::io("write", &self.path)(error));
        }
        self.length += frame.len() as u64;
        if let Record::Event(envelope) = record {
            self.next_seq = envelope.seq + 1;
        }
        Ok(())
    }

    /// Makes all records so far survive a crash of the machine (`fdatasync`). Called before an
    /// outside object is made, and at the end.
    pub fn sync(&mut self) -> Result<(), StateError> {
        self.file
            .sync_data()
            .map_err(StateError::io("sync", &self.path))
    }
}

fn has_text_elsewhere(event: &Event) -> bool {
    matches!(event, Event::Log(line) if line.offset.is_some())
}

fn encode(path: &Path, value: &impl serde::Serialize) -> Result<Vec<u8>, StateError> {
    let invalid = |text: String| {
        StateError::io("write", path)(std::io::Error::new(std::io::ErrorKind::InvalidData, text))
    };
    let json = serde_json::to_vec(value).map_err(|error| invalid(error.to_string()))?;
    frame::encode(&json).ok_or_else(|| {
        invalid(format!(
            "a record of {} bytes; at most {} are allowed",
            json.len(),
            frame::MAX_PAYLOAD
        ))
    })
}
