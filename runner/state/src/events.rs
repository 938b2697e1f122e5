//! A run's events as a reporter would have seen them: from the journal, with the text of each log
//! line from its attempt's log file.

use sidestep_events::{Envelope, Event, Record};

use crate::lines::Expanded;
use crate::{Damage, Entry, JournalReader, LogReader, RunFolder, StateError};

/// What a journal tells next.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// An event.
    Event(Box<Envelope>),
    /// Records are lost here; some of them may have been events.
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

    /// The next event, or where some are lost; nothing at the end. Asked again, it looks whether
    /// there are more.
    pub fn next_told(&mut self) -> Result<Option<Told>, StateError> {
        loop {
            if let Some((mut envelope, length)) = self.group.as_mut().and_then(Iterator::next) {
                self.fill_text(&mut envelope, length)?;
                return Ok(Some(Told::Event(Box::new(envelope))));
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

    /// Fetches the text of a log line. One that is gone is told in its place; one that somebody
    /// else can have written is an error.
    fn fill_text(&mut self, envelope: &mut Envelope, length: u64) -> Result<(), StateError> {
        let (Some(instance), Some(attempt)) = (&envelope.instance, envelope.attempt) else {
            return Ok(());
        };
        if let Event::Log(line) = &mut envelope.event
            && let Some(offset) = line.offset
        {
            let path = self.folder.log_path(instance.exact(), attempt);
            line.message = match self.logs.text_at(&path, offset, length) {
                Ok(text) => text.into(),
                Err(error @ StateError::NotOwn(_)) => return Err(error),
                Err(error) => format!("({error})").into(),
            };
        }
        Ok(())
    }
}
