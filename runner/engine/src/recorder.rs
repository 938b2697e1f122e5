use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use sidestep_events::{
    Checkpoint, Done, Envelope, Event, FORMAT_VERSION, Failure, Foreign, Intent, IntentId, LogLine,
    Output, Record, SpanId, TraceId,
};
use sidestep_state::{AttemptLog, History, JournalWriter, RunFolder, StateError};

use crate::reports::{Outlet, reports};
use crate::{Reports, Stop, StopReason};

/// How many log files are kept open at once; a thousand steps must not need as many.
const OPEN_LOGS: usize = 128;

/// The code of a failure for want of space.
const FULL: &str = "state.full";

/// Where every event of a run passes: it gives each its number, writes it to the journal, and
/// hands it to the reporters, in that order.
///
/// When the journal can't be written, the run is stopped; events still reach the reporters, so
/// that people learn why.
#[derive(Debug)]
pub struct Recorder {
    run: String,
    trace: TraceId,
    folder: RunFolder,
    stop: Stop,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    journal: JournalWriter,
    /// Counts on even when the journal is broken, so that reporters see no gap.
    seq: u64,
    broken: bool,
    next_intent: u64,
    open: HashMap<IntentId, Intent>,
    logs: HashMap<(String, u32), AttemptLog>,
    /// Where the last line of each attempt's log file begins.
    offsets: HashMap<(String, u32), u64>,
    reporters: Option<Outlet>,
    /// How many lines came when neither the journal nor the reporters could take any more.
    lost: u64,
}

/// What an event belongs to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    pub(crate) step: Option<String>,
    pub(crate) instance: Option<String>,
    pub(crate) attempt: Option<u32>,
    pub(crate) incarnation: Option<u32>,
}

impl Scope {
    pub(crate) fn run() -> Self {
        Self::default()
    }

    pub(crate) fn instance(step: &str, instance: &str) -> Self {
        Self {
            step: Some(step.to_owned()),
            instance: Some(instance.to_owned()),
            ..Self::default()
        }
    }

    pub(crate) fn attempt(&self, attempt: u32, incarnation: u32) -> Self {
        Self {
            attempt: Some(attempt),
            incarnation: Some(incarnation),
            ..self.clone()
        }
    }
}

impl Recorder {
    /// A recorder over an opened journal, and what reporters read. `history` is what the journal
    /// holds so far; `traceparent` the value of `TRACEPARENT`. The reports end when
    /// [`Recorder::close`] is called.
    pub fn new(
        folder: RunFolder,
        journal: JournalWriter,
        history: &History,
        traceparent: Option<&str>,
        stop: Stop,
    ) -> (Self, Reports) {
        let (outlet, reports) = reports(folder.clone());
        let run = folder.id().to_string();
        let offsets = history
            .instances
            .iter()
            .flat_map(|(instance, known)| {
                (1..).zip(&known.attempts).filter_map(|(attempt, known)| {
                    Some(((instance.clone(), attempt), known.last_log_offset?))
                })
            })
            .collect();
        let recorder = Self {
            trace: TraceId::of_run(&run, traceparent),
            run,
            folder,
            stop,
            inner: Mutex::new(Inner {
                seq: journal.next_seq(),
                journal,
                broken: false,
                next_intent: history.next_intent.max(1),
                open: history
                    .open_intents
                    .iter()
                    .map(|(id, intent)| (*id, intent.clone()))
                    .collect(),
                logs: HashMap::new(),
                offsets,
                reporters: Some(outlet),
                lost: 0,
            }),
        };
        (recorder, reports)
    }

    /// The run's id.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// The run's trace.
    pub fn trace(&self) -> &TraceId {
        &self.trace
    }

    /// Ends the reports and makes the journal durable.
    pub fn close(&self) {
        let mut inner = self.lock();
        inner.reporters = None;
        if let Err(error) = inner.journal.sync() {
            self.broken(&mut inner, error);
        }
    }

    /// How many lines were lost, because the journal can't be written and nobody reads the reports.
    pub(crate) fn lost_lines(&self) -> u64 {
        self.lock().lost
    }

    pub(crate) fn emit(&self, scope: &Scope, event: Event) {
        self.emit_locked(&mut self.lock(), scope, event);
    }

    /// A line of an outside process: its text goes to the attempt's log file, its place there to
    /// the journal.
    pub(crate) fn outside_line(&self, scope: &Scope, mut line: LogLine) {
        let mut inner = self.lock();
        if let (Some(instance), Some(attempt)) = (&scope.instance, scope.attempt)
            && !inner.broken
        {
            let key = (instance.clone(), attempt);
            match self.append_line(&mut inner, &key, line.message.exact()) {
                Ok(offset) => line.offset = Some(offset),
                Err(error) => drop(self.broken(&mut inner, error)),
            }
        }
        self.emit_locked(&mut inner, scope, Event::Log(line));
    }

    fn append_line(
        &self,
        inner: &mut Inner,
        key: &(String, u32),
        text: &str,
    ) -> Result<u64, StateError> {
        if inner.logs.len() >= OPEN_LOGS && !inner.logs.contains_key(key) {
            // Any of them: whose turn it is again is opened again, at its last line.
            let other = inner.logs.keys().next().cloned();
            other.map(|other| inner.logs.remove(&other));
        }
        let log = match inner.logs.entry(key.clone()) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(closed) => {
                let journaled = inner.offsets.get(key).copied();
                closed.insert(self.folder.attempt_log(&key.0, key.1, journaled)?)
            }
        };
        let offset = log.append(text)?;
        inner.offsets.insert(key.clone(), offset);
        Ok(offset)
    }

    /// Closes an attempt's log file. Where its last line is stays known: who read a log when the
    /// attempt was cut off may still bring a line, and must not begin the file anew with it.
    pub(crate) fn end_log(&self, instance: &str, attempt: u32) {
        let key = (instance.to_owned(), attempt);
        self.lock().logs.remove(&key);
    }

    /// Journals that an outside object is about to be made, durably. `make` gets its id.
    ///
    /// Fails when the journal can't be written: then nothing may be made.
    pub(crate) fn intent(
        &self,
        make: impl FnOnce(IntentId) -> Intent,
    ) -> Result<IntentId, Failure> {
        let mut inner = self.lock();
        let id = IntentId(inner.next_intent);
        let intent = make(id);
        self.record(&mut inner, &Record::Intent(intent.clone()))?;
        if let Err(error) = inner.journal.sync() {
            return Err(self.broken(&mut inner, error));
        }
        inner.next_intent += 1;
        inner.open.insert(id, intent);
        Ok(id)
    }

    /// The intent that an earlier incarnation of the same attempt journaled for the same object.
    pub(crate) fn known_intent(&self, like: &Intent) -> Option<IntentId> {
        let inner = self.lock();
        inner
            .open
            .values()
            .find(|known| {
                Intent {
                    id: like.id,
                    expiry: like.expiry,
                    ..(*known).clone()
                } == *like
            })
            .map(|known| known.id)
    }

    pub(crate) fn done(&self, done: Done) -> Result<(), Failure> {
        let mut inner = self.lock();
        if done.removed || done.id.is_none() {
            inner.open.remove(&done.intent);
        }
        self.record(&mut inner, &Record::Done(done))
    }

    pub(crate) fn checkpoint(&self, checkpoint: Checkpoint) -> Result<(), Failure> {
        self.record(&mut self.lock(), &Record::Checkpoint(checkpoint))
    }

    pub(crate) fn output(&self, output: Output) -> Result<(), Failure> {
        self.record(&mut self.lock(), &Record::Output(output))
    }

    /// The outside objects that may still be there, oldest first.
    pub(crate) fn open_intents(&self, wanted: impl Fn(&Intent) -> bool) -> Vec<Intent> {
        let inner = self.lock();
        let mut open: Vec<_> = inner.open.values().filter(|i| wanted(i)).cloned().collect();
        open.sort_by_key(|intent| intent.id);
        open
    }

    fn emit_locked(&self, inner: &mut Inner, scope: &Scope, event: Event) {
        if inner.broken
            && matches!(event, Event::Log(_))
            && inner.reporters.as_ref().is_some_and(Outlet::is_full)
        {
            inner.lost += 1;
            return;
        }
        let root = SpanId::of_run(&self.run);
        let (span, parent) = match (&scope.instance, scope.attempt) {
            (Some(instance), Some(attempt)) => {
                (SpanId::of_attempt(&self.run, instance, attempt), Some(root))
            }
            _ => (root, None),
        };
        let envelope = Envelope {
            v: FORMAT_VERSION,
            run: self.run.as_str().into(),
            seq: inner.seq,
            time: Timestamp::now(),
            step: scope.step.as_ref().map(Foreign::from),
            instance: scope.instance.as_ref().map(Foreign::from),
            attempt: scope.attempt,
            incarnation: scope.incarnation,
            trace: self.trace.clone(),
            span,
            parent,
            event,
        };
        inner.seq += 1;
        // The failure is in the run's end; an event has no caller to tell.
        let record = Record::Event(Box::new(envelope));
        let from = inner.journal.length();
        let kept = self.record(inner, &record).is_ok();
        let place = kept.then(|| from..inner.journal.length());
        if let (Record::Event(envelope), Some(reporters)) = (record, &inner.reporters) {
            reporters.send(*envelope, place);
        }
    }

    fn record(&self, inner: &mut Inner, record: &Record) -> Result<(), Failure> {
        if inner.broken {
            return Err(match self.stop.reason() {
                Some(StopReason::Broken(failure)) => failure,
                _ => Failure::cancelled("the run's journal can't be written any more"),
            });
        }
        match inner.journal.append(record) {
            Ok(()) => Ok(()),
            Err(error) => Err(self.broken(inner, error)),
        }
    }

    fn broken(&self, inner: &mut Inner, error: StateError) -> Failure {
        let mut failure = Failure::from(error);
        if failure.code == FULL {
            // It has begun, and what it is up to is on that disk.
            failure.help = vec![
                "Free space on that disk, then go on with the run:".into(),
                format!("sidestep resume {}", self.run).into(),
            ];
        }
        inner.broken = true;
        self.stop.stop(StopReason::Broken(failure.clone()));
        failure
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here panics between two halves of a change.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
