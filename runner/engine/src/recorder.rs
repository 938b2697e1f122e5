mod lines;
mod scope;

use std::collections::HashMap;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use sidestep_events::{
    Checkpoint, Done, Envelope, Event, FORMAT_VERSION, Failure, Foreign, Intent, IntentId, Output,
    Record, SpanId, Status, TraceId, codes, commands,
};
use sidestep_state::{History, JournalWriter, RunFolder, StateError};

use crate::budget::{Ceilings, Full, Ledger, Room};
use crate::reports::{Outlet, reports};
use crate::{Reports, Stop, StopReason};

use lines::Logs;
pub(crate) use scope::Scope;

/// The code of a failure due to a full disk.
const FULL: &str = codes::state::FULL;

/// Records every event of a run: numbers it, writes it to the journal, and passes it to the
/// reporters, in that order.
///
/// When the journal can't be written, the recorder stops the run. Events still reach the reporters,
/// so that users see the reason.
#[derive(Debug)]
pub struct Recorder {
    run: String,
    trace: TraceId,
    folder: RunFolder,
    stop: Stop,
    ceilings: Ceilings,
    /// Wakes the thread that writes held lines.
    held: SyncSender<()>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    journal: JournalWriter,
    /// Increases even when the journal is broken, so that reporters see no gap.
    seq: u64,
    broken: bool,
    next_intent: u64,
    open: HashMap<IntentId, Intent>,
    logs: Logs,
    /// The shares of the journal that instances may write.
    shares: Ledger,
    reporters: Option<Outlet>,
    /// The number of lines that were dropped because neither the journal nor the reporters could
    /// take them.
    lost: u64,
}

/// The result of writing a record of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Yes,
    /// The limit leaves no room for it.
    Full,
    /// The journal can't be written.
    Broken,
}

impl Recorder {
    /// Creates a recorder for an open journal, and the reports that reporters read.
    ///
    /// `history` is the journal's content so far, `traceparent` the value of `TRACEPARENT`, and
    /// `instances` the number of instances in the plan, which share the limits. The reports end
    /// when [`Recorder::close`] is called.
    pub fn new(
        folder: RunFolder,
        journal: JournalWriter,
        history: &History,
        traceparent: Option<&str>,
        stop: Stop,
        ceilings: Ceilings,
        instances: usize,
    ) -> (Arc<Self>, Reports) {
        let (outlet, reports) = reports(folder.clone());
        let run = folder.id().to_string();
        let ends: HashMap<_, _> = history
            .instances
            .iter()
            .flat_map(|(instance, known)| {
                (1..).zip(&known.attempts).filter_map(|(attempt, known)| {
                    Some(((instance.clone(), attempt), known.log_end?))
                })
            })
            .collect();
        // Instances without outputs run again.
        let ended: Vec<&str> = history
            .instances
            .iter()
            .filter(|(_, known)| known.status.is_some_and(Status::has_outputs))
            .map(|(instance, _)| instance.as_str())
            .collect();
        let logged = ends.values().sum();
        let (held, holds) = lines::channel();
        let recorder = Arc::new(Self {
            trace: TraceId::of_run(&run, traceparent),
            run,
            folder,
            stop,
            ceilings,
            held,
            inner: Mutex::new(Inner {
                seq: journal.next_seq(),
                shares: Ledger::new(ceilings.journal, journal.length(), instances, &ended),
                journal,
                broken: false,
                next_intent: history.next_intent.max(1),
                open: history
                    .open_intents
                    .iter()
                    .map(|(id, intent)| (*id, intent.clone()))
                    .collect(),
                logs: Logs::new(ends, Ledger::new(ceilings.logs, logged, instances, &ended)),
                reporters: Some(outlet),
                lost: 0,
            }),
        });
        lines::write_in_time(&recorder, holds);
        (recorder, reports)
    }

    /// Returns the run's id.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Returns the run's trace id.
    pub fn trace(&self) -> &TraceId {
        &self.trace
    }

    /// Returns a new budget for an incarnation of the instance.
    pub(crate) fn room(&self, instance: &str) -> Room {
        Room::new(instance, self.ceilings)
    }

    /// Ends the reports and syncs the journal to disk.
    pub fn close(&self) {
        let mut inner = self.lock();
        self.write_lines(&mut inner);
        inner.reporters = None;
        if let Err(error) = inner.journal.sync() {
            self.broken(&mut inner, error);
        }
    }

    /// Returns how many lines were dropped because the journal can't be written and the reports are
    /// not read.
    pub(crate) fn lost_lines(&self) -> u64 {
        self.lock().lost
    }

    pub(crate) fn emit(&self, scope: &Scope, event: Event) {
        let mut inner = self.lock();
        let ends = matches!(event, Event::StepFinished(_) | Event::StepSkipped(_));
        self.emit_locked(&mut inner, scope, event);
        if let (true, Some(instance)) = (ends, &scope.instance) {
            inner.shares.end(instance);
            inner.logs.shares.end(instance);
        }
    }

    /// Records an event of an attempt. If there is no room for it, marks `room` as full.
    pub(crate) fn say(&self, scope: &Scope, event: Event, room: &Room) {
        let mut inner = self.lock();
        self.write_lines(&mut inner);
        if inner.broken {
            return self.emit_locked(&mut inner, scope, event);
        }
        if room.failure().is_some() {
            return;
        }
        let envelope = self.envelope(inner.seq, scope, event);
        let record = Record::Event(Box::new(envelope));
        let from = inner.journal.length();
        let kept = self.write_within(&mut inner, &record, room);
        let place = match kept {
            Kept::Yes => Some(from..inner.journal.length()),
            Kept::Full => return,
            Kept::Broken => None,
        };
        inner.seq += 1;
        if let (Record::Event(envelope), Some(reporters)) = (record, &inner.reporters) {
            reporters.send(*envelope, place);
        }
    }

    /// Journals durably that an external object is about to be created. `make` gets the intent's
    /// id.
    ///
    /// The run's limit never blocks an intent, but its bytes count against the attempt's share.
    /// Fails when that share is used up, or when the journal can't be written; then the object must
    /// not be created.
    pub(crate) fn intent(
        &self,
        make: impl FnOnce(IntentId) -> Intent,
        room: &Room,
    ) -> Result<IntentId, Failure> {
        let mut inner = self.lock();
        if let Some(failure) = room.failure() {
            return Err(failure);
        }
        let id = IntentId(inner.next_intent);
        let intent = make(id);
        let from = inner.journal.length();
        self.record(&mut inner, &Record::Intent(intent.clone()))?;
        let bytes = inner.journal.length() - from;
        room.take_journal(bytes);
        inner.shares.take(room.instance(), bytes);
        if room.journal() == 0 {
            room.fill(room.share());
        }
        if let Err(error) = inner.journal.sync() {
            return Err(self.broken(&mut inner, error));
        }
        inner.next_intent += 1;
        inner.open.insert(id, intent);
        Ok(id)
    }

    /// Returns the open intent that the same attempt journaled for the same object, if there is
    /// one.
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

    pub(crate) fn checkpoint(&self, checkpoint: Checkpoint, room: &Room) -> Result<(), Failure> {
        let mut inner = self.lock();
        self.write_lines(&mut inner);
        if let Some(failure) = room.failure() {
            return Err(failure);
        }
        match self.write_within(&mut inner, &Record::Checkpoint(checkpoint), room) {
            Kept::Yes => Ok(()),
            Kept::Full => Err(room.fill(room.share())),
            Kept::Broken => Err(self.why_broken()),
        }
    }

    /// Journals an attempt's outputs. The end of the step repeats them, so room for that is
    /// reserved too.
    pub(crate) fn output(&self, output: Output) -> Result<(), Failure> {
        let instance = output.instance.clone();
        let mut inner = self.lock();
        self.write_lines(&mut inner);
        if inner.broken {
            return Err(self.why_broken());
        }
        let again = serde_json::to_vec(&output.outputs).map_or(0, |json| json.len() as u64);
        let from = inner.journal.length();
        let left = inner.shares.left(&instance, from);
        let below = from.saturating_add(left).saturating_sub(again);
        match inner.journal.append_below(&Record::Output(output), below) {
            Ok(true) => {
                let bytes = inner.journal.length() - from + again;
                inner.shares.take(&instance, bytes);
                Ok(())
            }
            Ok(false) => Err(Full::Journal(self.ceilings.journal).into()),
            Err(error) => Err(self.broken(&mut inner, error)),
        }
    }

    /// Returns the external objects that may still exist, oldest first.
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
        self.write_lines(inner);
        let envelope = self.envelope(inner.seq, scope, event);
        inner.seq += 1;
        // Errors are reported at the end of the run, since an event has no caller to return them
        // to.
        let record = Record::Event(Box::new(envelope));
        let from = inner.journal.length();
        let kept = self.write(inner, &record).is_ok();
        let place = kept.then(|| from..inner.journal.length());
        if let (Record::Event(envelope), Some(reporters)) = (record, &inner.reporters) {
            reporters.send(*envelope, place);
        }
    }

    fn envelope(&self, seq: u64, scope: &Scope, event: Event) -> Envelope {
        let root = SpanId::of_run(&self.run);
        let (span, parent) = match (&scope.instance, scope.attempt) {
            (Some(instance), Some(attempt)) => {
                (SpanId::of_attempt(&self.run, instance, attempt), Some(root))
            }
            _ => (root, None),
        };
        Envelope {
            v: FORMAT_VERSION,
            run: self.run.as_str().into(),
            seq,
            time: Timestamp::now(),
            step: scope.step.as_ref().map(Foreign::from),
            instance: scope.instance.as_ref().map(Foreign::from),
            attempt: scope.attempt,
            incarnation: scope.incarnation,
            trace: self.trace.clone(),
            span,
            parent,
            event,
        }
    }

    /// Journals a record of the host itself, after the lines before it.
    fn record(&self, inner: &mut Inner, record: &Record) -> Result<(), Failure> {
        self.write_lines(inner);
        self.write(inner, record)
    }

    /// Journals a record of an attempt, if the limits of the run and the attempt leave room for it.
    fn write_within(&self, inner: &mut Inner, record: &Record, room: &Room) -> Kept {
        if inner.broken {
            return Kept::Broken;
        }
        let from = inner.journal.length();
        let (share, of_run) = (room.journal(), inner.shares.left(room.instance(), from));
        let below = from.saturating_add(share.min(of_run));
        match inner.journal.append_below(record, below) {
            Ok(true) => {
                let bytes = inner.journal.length() - from;
                room.take_journal(bytes);
                inner.shares.take(room.instance(), bytes);
                Kept::Yes
            }
            Ok(false) => {
                room.fill(if share < of_run {
                    room.share()
                } else {
                    Full::Journal(inner.shares.ceiling())
                });
                Kept::Full
            }
            Err(error) => {
                self.broken(inner, error);
                Kept::Broken
            }
        }
    }

    fn why_broken(&self) -> Failure {
        match self.stop.reason() {
            Some(StopReason::Broken(failure)) => failure,
            _ => Failure::cancelled("the run's journal can no longer be written"),
        }
    }

    fn write(&self, inner: &mut Inner, record: &Record) -> Result<(), Failure> {
        if inner.broken {
            return Err(self.why_broken());
        }
        match inner.journal.append(record) {
            Ok(()) => Ok(()),
            Err(error) => Err(self.broken(inner, error)),
        }
    }

    fn broken(&self, inner: &mut Inner, error: StateError) -> Failure {
        let mut failure = Failure::from(error);
        if failure.code == FULL {
            // The run has begun, and its state is on that disk.
            failure.help = vec!["Free space on that disk, then resume the run:".into()];
            failure = failure.with_helps(commands::resume(&self.run));
        }
        inner.broken = true;
        self.stop.stop(StopReason::Broken(failure.clone()));
        failure
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code under the lock panics halfway through a change.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
