//! Writes log lines to the log files, the journal and the reporters.
//!
//! A single line is written at once. Lines that follow within [`APART`] are held and written
//! together. Reporters never see a line that the journal does not have yet. All other records are
//! journaled after the lines before them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use sidestep_events::{Event, LogLine, LogOwner, Record};
use sidestep_state::{AttemptLog, LineGroup, RunFolder, StateError};

use super::{Inner, Recorder, Scope};
use crate::budget::{Full, Ledger, Room};

/// The maximum time that lines are held.
const APART: Duration = Duration::from_millis(20);
/// The maximum number of lines that are held.
const MOST_LINES: usize = 1024;
/// The maximum number of bytes of text, or of the journal, that are held.
const MOST_BYTES: usize = 256 << 10;
/// The maximum number of open log files, so that a thousand steps do not need a thousand
/// descriptors.
const OPEN_LOGS: usize = 128;

/// The key of an attempt's log file: instance and attempt.
type Key = (String, u32);

/// The log files of a run.
#[derive(Debug)]
pub(super) struct Logs {
    open: HashMap<Key, AttemptLog>,
    /// The length of each attempt's log file, in bytes.
    ends: HashMap<Key, u64>,
    /// The total length of all log files, including held lines.
    pub(super) bytes: u64,
    /// The shares of the log files that instances may write.
    pub(super) shares: Ledger,
    held: Option<LineGroup>,
    written: Option<Instant>,
}

impl Logs {
    /// Creates the state of a run's log files, with their lengths and the shares of the instances.
    pub(super) fn new(ends: HashMap<Key, u64>, shares: Ledger) -> Self {
        Self {
            open: HashMap::new(),
            shares,
            bytes: ends.values().sum(),
            ends,
            held: None,
            written: None,
        }
    }

    /// Appends newline-terminated lines and returns the offset of the first.
    fn append(&mut self, folder: &RunFolder, key: Key, lines: &[u8]) -> Result<u64, StateError> {
        if self.open.len() >= OPEN_LOGS && !self.open.contains_key(&key) {
            // Any open file will do: it is reopened at its end when it is needed again.
            let other = self.open.keys().next().cloned();
            other.map(|other| self.open.remove(&other));
        }
        let log = match self.open.entry(key.clone()) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(closed) => {
                let end = self.ends.get(&key).copied();
                closed.insert(folder.attempt_log(&key.0, key.1, end)?)
            }
        };
        let offset = log.append(lines)?;
        self.ends.insert(key, offset + lines.len() as u64);
        Ok(offset)
    }
}

impl Recorder {
    /// Records a line of an attempt's log. If there is no room for it, marks `room` as full.
    pub(crate) fn line(&self, owner: &LogOwner, line: LogLine, room: &Room) {
        let mut inner = self.lock();
        if inner.broken {
            let scope = Scope::instance(&owner.step, &owner.instance)
                .attempt(owner.attempt, owner.incarnation);
            return self.emit_locked(&mut inner, &scope, Event::Log(line));
        }
        if room.failure().is_some() {
            return;
        }
        let seq = inner.seq;
        let text = (line.message.len() + line.end.bytes().len()) as u64;
        let group = inner
            .logs
            .held
            .take()
            .unwrap_or_else(|| LineGroup::new(&self.run, self.trace.clone(), seq));
        let cost = group.cost(owner, &line) as u64;
        let journal = inner.journal.length() + group.weight() as u64;
        let instance = owner.instance.as_str();
        let taken = if text > inner.logs.shares.left(instance, inner.logs.bytes) {
            Err(Full::Logs(inner.logs.shares.ceiling()))
        } else if cost > inner.shares.left(instance, journal) {
            Err(Full::Journal(inner.shares.ceiling()))
        } else {
            room.take_line(cost, text)
        };
        if taken.is_ok() {
            inner.shares.take(instance, cost);
            inner.logs.shares.take(instance, text);
        }
        let group = inner.logs.held.insert(group);
        if let Err(full) = taken {
            if group.is_empty() {
                inner.logs.held = None;
            }
            room.fill(full);
            return;
        }
        group.push(owner, line);
        let many =
            group.len() >= MOST_LINES || group.text() >= MOST_BYTES || group.weight() >= MOST_BYTES;
        let alone = inner
            .logs
            .written
            .is_none_or(|written| written.elapsed() >= APART);
        inner.logs.bytes += text;
        inner.seq += 1;
        if many || alone {
            self.write_lines(&mut inner);
        } else {
            // One signal is enough, even if an earlier one is still pending.
            let _ = self.held.try_send(());
        }
    }

    /// Writes the held lines.
    pub(super) fn write_lines(&self, inner: &mut Inner) {
        let Some(group) = inner.logs.held.take() else {
            return;
        };
        inner.logs.written = Some(Instant::now());
        let logs = &mut inner.logs;
        let closed = group.close(|owner, text| {
            let key = (owner.instance.clone(), owner.attempt);
            logs.append(&self.folder, key, text)
        });
        let (events, place) = match closed {
            Ok((lines, events)) => {
                let from = inner.journal.length();
                let kept = self.write(inner, &Record::Lines(Box::new(lines))).is_ok();
                (events, kept.then(|| from..inner.journal.length()))
            }
            Err((error, events)) => {
                self.broken(inner, error);
                (events, None)
            }
        };
        if let Some(reporters) = &inner.reporters {
            reporters.send_all(events, place);
        }
    }

    /// Closes an attempt's log file. Its length stays known: a log reader may still bring a line
    /// after the attempt was cut off, and that line must not overwrite the start of the file.
    pub(crate) fn end_log(&self, instance: &str, attempt: u32) {
        let mut inner = self.lock();
        self.write_lines(&mut inner);
        inner.logs.open.remove(&(instance.to_owned(), attempt));
    }
}

/// Creates the channel on which a recorder signals that it holds lines.
pub(super) fn channel() -> (SyncSender<()>, Receiver<()>) {
    sync_channel(1)
}

/// Starts a thread that writes the recorder's held lines after a delay, until the recorder is
/// dropped.
///
/// It is a thread because a guest may block the runtime's threads.
pub(super) fn write_in_time(recorder: &Arc<Recorder>, held: Receiver<()>) {
    let recorder = Weak::clone(&Arc::downgrade(recorder));
    let spawned = thread::Builder::new()
        .name("log-lines".to_owned())
        .spawn(move || {
            while held.recv().is_ok() {
                thread::sleep(APART);
                let Some(recorder) = recorder.upgrade() else {
                    return;
                };
                recorder.write_lines(&mut recorder.lock());
            }
        });
    // Without the thread, lines are written with the next record: late, but not lost.
    drop(spawned);
}
