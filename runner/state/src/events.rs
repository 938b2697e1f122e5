//! A run's events as a reporter saw them: from the journal, with the text of each log line from its
//! attempt's log file.

use sidestep_events::{Envelope, Event, LogText, Record};

use crate::lines::Expanded;
use crate::{Damage, Entry, JournalReader, LogReader, RunFolder, StateError};

/// The next item read from a journal.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// An event.
    Event(Box<Envelope>),
    /// A log line whose text is lost. A note replaces the text.
    Textless(Box<Envelope>),
    /// Damaged records, some of which may have been events.
    Damage(Damage),
}

/// Reads a run's events, one at a time.
#[derive(Debug)]
pub struct Events {
    folder: RunFolder,
    reader: JournalReader,
    logs: LogReader,
    /// The rest of a group of lines.
    group: Option<Expanded>,
}

impl Events {
    pub(crate) fn open(folder: &RunFolder) -> Result<Self, StateError> {
        let (_, reader) = JournalReader::open(&folder.journal_path())?;
        Ok(Self::of(folder, reader))
    }

    pub(crate) fn part(folder: &RunFolder, from: u64, to: u64) -> Result<Self, StateError> {
        let reader = JournalReader::part(&folder.journal_path(), from, to)?;
        Ok(Self::of(folder, reader))
    }

    fn of(folder: &RunFolder, reader: JournalReader) -> Self {
        Self {
            folder: folder.clone(),
            reader,
            logs: LogReader::default(),
            group: None,
        }
    }

    /// Returns the next event or damaged range, or `None` at the end. A later call checks whether
    /// more was written.
    pub fn next_told(&mut self) -> Result<Option<Told>, StateError> {
        loop {
            if let Some((mut envelope, length)) = self.group.as_mut().and_then(Iterator::next) {
                let whole = self.fill_text(&mut envelope, length)?;
                let envelope = Box::new(envelope);
                return Ok(Some(if whole {
                    Told::Event(envelope)
                } else {
                    Told::Textless(envelope)
                }));
            }
            return Ok(match self.reader.next_entry()? {
                None => None,
                Some(Entry::Damage(damage)) => Some(Told::Damage(damage)),
                Some(Entry::Record(Record::Event(envelope))) => Some(Told::Event(envelope)),
                Some(Entry::Record(Record::Lines(lines))) => {
                    self.group = Some(Expanded::new(self.folder.id().as_str(), *lines));
                    continue;
                }
                Some(Entry::Record(_)) => continue,
            });
        }
    }

    /// Reads the text of a log line and returns whether it exists. A lost text is replaced by a
    /// note. A file that another user can write is an error.
    fn fill_text(&mut self, envelope: &mut Envelope, length: u64) -> Result<bool, StateError> {
        let (Some(instance), Some(attempt)) = (&envelope.instance, envelope.attempt) else {
            return Ok(true);
        };
        if let Event::Log(line) = &mut envelope.event
            && let Some(offset) = line.offset
        {
            let path = self.folder.log_path(instance.exact(), attempt);
            match self.logs.bytes_at(&path, offset, length) {
                Ok(bytes) => line.message = bytes.into(),
                Err(error @ StateError::NotOwn(_)) => return Err(error),
                Err(error) => {
                    line.message = LogText::from(format!("({error})"));
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}
