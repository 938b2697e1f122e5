use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use sidestep_events::{Header, Record};

use crate::{Damage, DamagedJournal, Entry, History, JournalReader, StateError, frame, own};

/// What a journal's file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Journal {
    /// The first record.
    pub header: Header,
    /// All whole records after it, in order.
    pub records: Vec<Record>,
    /// What was whole once and is not any more.
    pub damage: Vec<Damage>,
    /// Whether the last record was never written to its end.
    pub torn: bool,
}

/// What a journal's records come to. However long the journal is, this is short.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// The first record.
    pub header: Header,
    /// What the whole records say.
    pub history: History,
    /// What was whole once and is not any more.
    pub damage: Vec<Damage>,
    /// How many records are whole, the header among them.
    pub whole: u64,
    /// Up to which byte records stand, whole or damaged. What is behind was never written to its
    /// end.
    pub length: u64,
    /// Whether there is anything behind.
    pub torn: bool,
}

/// Reads all of a journal that is whole.
///
/// Fails when it is no journal, or its format is newer than [`sidestep_events::JOURNAL_VERSION`].
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

/// Reads a journal for what it comes to.
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
        let mut file = own::make(&draft)?;
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
    ///
    /// Fails when a record is damaged: what it said may be what must not be done twice.
    pub fn open(path: &Path) -> Result<(Self, Account), StateError> {
        let account = read_account(path)?;
        match DamagedJournal::of(path, &account) {
            Some(damaged) => Err(StateError::Damaged(Box::new(damaged))),
            None => Self::at_the_end(path, account),
        }
    }

    /// Opens a journal to note what is removed of its run, damaged or not. Nobody may go on with
    /// the run by it.
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

    /// How many bytes hold records, all of them whole to whoever reads that far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The `seq` that the next event must carry.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Appends one record.
    ///
    /// When the write fails, what was written of it is cut again, so that later records stay
    /// readable.
    pub fn append(&mut self, record: &Record) -> Result<(), StateError> {
        self.append_below(record, u64::MAX).map(drop)
    }

    /// Appends one record if the journal has at most `ceiling` bytes then; answers whether it did.
    pub fn append_below(&mut self, record: &Record, ceiling: u64) -> Result<bool, StateError> {
        let frame = encode(&self.path, record)?;
        if self.length.saturating_add(frame.len() as u64) > ceiling {
            return Ok(false);
        }
        if let Err(error) = self.file.write_all(&frame) {
            // Best effort: a reader stops at the torn record anyway.
            if let Err(error) = self.file.set_len(self.length) {
                tracing::warn!(path = %self.path.display(), %error, "a torn record stays in a journal");
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
    /// outside object is made, and at the end.
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
