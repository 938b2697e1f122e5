//! Log lines on their way to the log files, the journal and the reporters.
//!
//! A line that comes alone is written at once. Those that follow on it within [`APART`] are held
//! and written together; nobody is shown a line that the journal does not have yet. Whatever else
//! is journaled comes after the lines before it.

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

/// How long lines are held at most.
const APART: Duration = Duration::from_millis(20);
/// How many lines are held at most.
const MOST_LINES: usize = 1024;
/// How many bytes of text, or of the journal, are held at most.
const MOST_BYTES: usize = 256 << 10;
/// How many log files are kept open at once; a thousand steps must not need as many.
const OPEN_LOGS: usize = 128;

/// An attempt's log file: instance and attempt.
type Key = (String, u32);

/// The log files of a run.
#[derive(Debug)]
pub(super) struct Logs {
    open: HashMap<Key, AttemptLog>,
    /// Where the last line of each attempt's log file ends.
    ends: HashMap<Key, u64>,
    /// How many bytes all of them have, with those that are still held.
    pub(super) bytes: u64,
    /// Who may write how much of them.
    pub(super) shares: Ledger,
    held: Option<LineGroup>,
    written: Option<Instant>,
}

impl Logs {
    /// The log files of a run, and who may write how much of them.
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

    /// Appends lines, each with its end; returns where they begin.
    fn append(&mut self, folder: &RunFolder, key: Key, lines: &[u8]) -> Result<u64, StateError> {
        if self.open.len() >= OPEN_LOGS && !self.open.contains_key(&key) {
            // Any of them: whose turn it is again is opened again, at its end.
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
    /// Takes a line of an attempt's log, unless there is no room for it: then `room` says so.
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
            // One is enough, also while another is waiting.
            let _ = self.held.try_send(());
        }
    }

    /// Writes the lines that are held.
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

    /// Closes an attempt's log file. Where it ends stays known: who read a log when the attempt
    /// was cut off may still bring a line, and must not begin the file anew with it.
    pub(crate) fn end_log(&self, instance: &str, attempt: u32) {
        let mut inner = self.lock();
        self.write_lines(&mut inner);
        inner.logs.open.remove(&(instance.to_owned(), attempt));
    }
}

/// How a recorder says that it holds lines.
pub(super) fn channel() -> (SyncSender<()>, Receiver<()>) {
    sync_channel(1)
}

/// Writes the lines that a recorder holds when it has held them long enough, until it is gone.
///
/// A thread, since a guest may hold up the runtime's own.
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
    // Without it lines are written with the next record: late, and not lost.
    drop(spawned);
}
