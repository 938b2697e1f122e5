use std::collections::BTreeMap;

use serde_json::Value;
use sidestep_events::{
    Event, Failure, Foreign, Intent, IntentId, Lines, Record, RunFinished, RunStarted, Status,
};

use crate::lines::ends;

/// What a journal's records say about the run: the state that a resume goes on from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The last beginning.
    pub started: Option<RunStarted>,
    /// When the run first began.
    pub began: Option<jiff::Timestamp>,
    /// The end, unless the run went on after it or never had one.
    pub finished: Option<RunFinished>,
    /// Each step instance that something is known of.
    pub instances: BTreeMap<String, InstanceHistory>,
    /// Outside objects that may still be there, by the id of their intent.
    pub open_intents: BTreeMap<IntentId, Intent>,
    /// The id that the next intent gets.
    pub next_intent: u64,
    /// The last event's number; 0 when there is none.
    pub last_seq: u64,
}

/// What is known of one step instance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InstanceHistory {
    /// Its final status, once it has one.
    pub status: Option<Status>,
    /// Its outputs, if it succeeded.
    pub outputs: Option<Value>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// How long it took.
    pub duration_ms: u64,
    /// Its attempts, the first one first.
    pub attempts: Vec<AttemptHistory>,
}

/// What is known of one attempt.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AttemptHistory {
    /// How many incarnations it has had.
    pub incarnations: u32,
    /// Whether it ended.
    pub finished: bool,
    /// Its outputs, once it has them: its work is done, whatever is left to tidy up.
    pub outputs: Option<Value>,
    /// What the plugin last wanted to remember.
    pub checkpoint: Option<Value>,
    /// Where the reading of followed pods' logs stood: by pod (`NAMESPACE/NAME`), then by
    /// container. Only who follows pods knows the form.
    pub positions: BTreeMap<String, BTreeMap<String, Value>>,
    /// Where the last line that the journal knows ends in the attempt's log file.
    pub log_end: Option<u64>,
}

impl History {
    /// Reads the records in order.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut history = Self::new();
        for record in records {
            history.add(record);
        }
        history
    }

    pub(crate) fn new() -> Self {
        Self {
            next_intent: 1,
            ..Self::default()
        }
    }

    pub(crate) fn add(&mut self, record: &Record) {
        match record {
            Record::Intent(intent) => {
                self.next_intent = self.next_intent.max(intent.id.0 + 1);
                self.open_intents.insert(intent.id, intent.clone());
            }
            // Made is not gone: only what was removed, or never made, is closed.
            Record::Done(done) if done.removed || done.id.is_none() => {
                self.open_intents.remove(&done.intent);
            }
            Record::Done(_) => {}
            Record::Checkpoint(checkpoint) => {
                self.attempt(&checkpoint.instance, checkpoint.attempt)
                    .checkpoint = Some(checkpoint.state.clone());
            }
            Record::Output(output) => {
                self.instance(&output.instance).outputs = Some(output.outputs.clone());
                self.attempt(&output.instance, output.attempt).outputs =
                    Some(output.outputs.clone());
            }
            Record::Lines(lines) => self.lines(lines),
            Record::Event(envelope) => {
                self.last_seq = envelope.seq;
                let instance = envelope.instance.as_ref().map(Foreign::exact);
                let place = instance.zip(envelope.attempt);
                self.event(&envelope.event, instance, place);
                if matches!(envelope.event, Event::RunStarted(_)) {
                    self.began.get_or_insert(envelope.time);
                }
            }
        }
    }

    fn event(&mut self, event: &Event, instance: Option<&str>, place: Option<(&str, u32)>) {
        match (event, instance, place) {
            (Event::RunStarted(started), ..) => {
                self.started = Some(started.clone());
                self.finished = None;
            }
            (Event::RunFinished(finished), ..) => self.finished = Some(finished.clone()),
            (Event::StepSkipped(_), Some(instance), _) => {
                self.instance(instance).status = Some(Status::Skipped);
            }
            (Event::StepFinished(finished), Some(instance), _) => {
                let known = self.instance(instance);
                known.status = Some(finished.status);
                known.failure.clone_from(&finished.failure);
                known.duration_ms = finished.duration_ms;
                if finished.outputs.is_some() {
                    let outputs = finished.outputs.as_ref();
                    known.outputs = outputs.map(|outputs| outputs.exact().clone());
                }
            }
            (Event::AttemptStarted(_), _, Some((instance, attempt))) => {
                self.attempt(instance, attempt).incarnations += 1;
            }
            (Event::AttemptFinished(_), _, Some((instance, attempt))) => {
                self.attempt(instance, attempt).finished = true;
            }
            _ => {}
        }
    }

    fn lines(&mut self, lines: &Lines) {
        let count = lines.lines.len() as u64;
        self.last_seq = lines.seq.saturating_add(count).saturating_sub(1);
        for (of, end) in lines.attempts.iter().zip(ends(lines)) {
            let attempt = self.attempt(&of.of.instance, of.of.attempt);
            attempt.log_end = Some(end);
            for (pod, containers) in &of.positions {
                let known = attempt.positions.entry(pod.clone()).or_default();
                known.extend(containers.clone());
            }
        }
    }

    fn instance(&mut self, instance: &str) -> &mut InstanceHistory {
        self.instances.entry(instance.to_owned()).or_default()
    }

    fn attempt(&mut self, instance: &str, attempt: u32) -> &mut AttemptHistory {
        let attempts = &mut self.instance(instance).attempts;
        let index = attempt.max(1) as usize - 1;
        if attempts.len() <= index {
            attempts.resize_with(index + 1, AttemptHistory::default);
        }
        &mut attempts[index]
    }
}
