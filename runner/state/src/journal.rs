use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use sidestep_events::{Header, Record};

use crate::{Damage, DamagedJournal, Entry, History, JournalReader, StateError, frame, own};

/// The content of a journal file.
#[derive(Debug, Clone, PartialEq)]
pub struct Journal {
    /// The first record.
    pub header: Header,
    /// All whole records after it, in order.
    pub records: Vec<Record>,
    /// The damaged ranges.
    pub damage: Vec<Damage>,
    /// Whether the last record is incomplete.
    pub torn: bool,
}

/// A summary of a journal's records. Its size does not depend on the journal's length.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// The first record.
    pub header: Header,
    /// The history from the whole records.
    pub history: History,
    /// The damaged ranges.
    pub damage: Vec<Damage>,
    /// The number of whole records, including the header.
    pub whole: u64,
    /// The offset at which the last record ends, whole or damaged. Bytes after it are an incomplete
    /// write.
    pub length: u64,
    /// Whether there are such bytes.
    pub torn: bool,
}

/// Reads all whole records of a journal.
///
/// Fails when the file is not a journal, or its format is newer than
/// [`sidestep_events::JOURNAL_VERSION`].
pub fn read_journal(path: &Path) -> Result<Journal, StateError> {
    let (header, mut reader) = JournalReader::open(path)?;
    let (mut records, mut damage) = (Vec::new(), Vec::new());
    while let Some(entry) = reader.next_entry()? {
        match entry {
            Entry::Record(record) => records.push(record),
            Entry::Damage(place) => damage.push(place),
        }
    }
    Ok(Journal {
        header,
        records,
        damage,
        torn: reader.is_torn(),
    })
}

/// Reads a journal's summary.
///
/// Fails as [`read_journal`] does.
pub fn read_account(path: &Path) -> Result<Account, StateError> {
    let (header, mut reader) = JournalReader::open(path)?;
    let (mut history, mut damage) = (History::new(), Vec::new());
    while let Some(entry) = reader.next_entry()? {
        match entry {
            Entry::Record(record) => history.add(&record),
            Entry::Damage(place) => damage.push(place),
        }
    }
    Ok(Account {
        header,
        history,
        damage,
        whole: reader.whole(),
        length: reader.position(),
        torn: reader.is_torn(),
    })
}

/// Appends to a journal. Each record is one `write`, so it survives a crash of this process;
/// [`JournalWriter::sync`] makes it survive a crash of the machine.
#[derive(Debug)]
pub struct JournalWriter {
    file: File,
    path: PathBuf,
    /// The length of all whole records, in bytes.
    length: u64,
    next_seq: u64,
}

impl JournalWriter {
    /// Creates a journal that holds only the header. The file is created atomically.
    ///
    /// Fails when it exists already.
    pub fn create(path: &Path, header: &Header) -> Result<Self, StateError> {
        if path.exists() {
            return Err(StateError::Exists(header.run.clone()));
        }
        let draft = path.with_extension("new");
        let frame = encode(&draft, header)?;
        let mut file = own::make(&draft)?;
        file.write_all(&frame)
            .and_then(|()| file.sync_all())
            .map_err(StateError::io("write", &draft))?;
        fs::rename(&draft, path).map_err(StateError::io("create", path))?;
        // The file's name is durable only once its folder is synced.
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

    /// Opens a journal to resume the run: cuts an incomplete record at the end, and continues the
    /// numbering after the last event.
    ///
    /// Fails when a record is damaged, since it may describe work that must not be repeated.
    pub fn open(path: &Path) -> Result<(Self, Account), StateError> {
        let account = read_account(path)?;
        match DamagedJournal::of(path, &account) {
            Some(damaged) => Err(StateError::Damaged(Box::new(damaged))),
            None => Self::at_the_end(path, account),
        }
    }

    /// Opens a journal, damaged or not, to record what is removed of its run. It must not be used
    /// to resume the run.
    pub fn open_to_clean_up(path: &Path) -> Result<(Self, Account), StateError> {
        let account = read_account(path)?;
        Self::at_the_end(path, account)
    }

    fn at_the_end(path: &Path, account: Account) -> Result<(Self, Account), StateError> {
        let file = own::append(path)?;
        if account.torn {
            file.set_len(account.length)
                .and_then(|()| file.sync_all())
                .map_err(StateError::io("write", path))?;
        }
        let writer = Self {
            file,
            path: path.to_owned(),
            length: account.length,
            next_seq: account.history.last_seq + 1,
        };
        Ok((writer, account))
    }

    /// Returns the length of the journal's records in bytes. All of them are visible to readers.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Returns the `seq` of the next event.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Appends one record.
    ///
    /// When the write fails, its part in the file is cut off, so that later records stay readable.
    pub fn append(&mut self, record: &Record) -> Result<(), StateError> {
        self.append_below(record, u64::MAX).map(drop)
    }

    /// Appends one record if the journal then has at most `ceiling` bytes. Returns whether it did.
    pub fn append_below(&mut self, record: &Record, ceiling: u64) -> Result<bool, StateError> {
        let frame = encode(&self.path, record)?;
        if self.length.saturating_add(frame.len() as u64) > ceiling {
            return Ok(false);
        }
        if let Err(error) = self.file.write_all(&frame) {
            // Best effort: readers stop at the incomplete record anyway.
            if let Err(error) = self.file.set_len(self.length) {
                tracing::warn!(path = %self.path.display(), %error, "an incomplete record stays in a journal");
            }
            return Err(StateError::io("write", &self.path)(error));
        }
        self.length += frame.len() as u64;
        match record {
            Record::Event(envelope) => self.next_seq = envelope.seq + 1,
            Record::Lines(lines) => self.next_seq = lines.seq + lines.lines.len() as u64,
            _ => {}
        }
        Ok(true)
    }

    /// Makes all records so far survive a crash of the machine (`fdatasync`). Called before an
    /// external object is created, and at the end.
    pub fn sync(&mut self) -> Result<(), StateError> {
        self.file
            .sync_data()
            .map_err(StateError::io("sync", &self.path))
    }
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
