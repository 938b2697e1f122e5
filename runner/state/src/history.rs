use std::collections::BTreeMap;

use serde_json::Value;
use sidestep_events::{
    Event, Failure, Foreign, Intent, IntentId, Lines, Record, RunFinished, RunStarted, Status,
};

use crate::lines::ends;

/// The state of a run according to its journal's records. A resume continues from it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The latest start.
    pub started: Option<RunStarted>,
    /// The time at which the run was first started.
    pub began: Option<jiff::Timestamp>,
    /// The end of the run, unless it was resumed after that or has not ended.
    pub finished: Option<RunFinished>,
    /// Each step instance with at least one record.
    pub instances: BTreeMap<String, InstanceHistory>,
    /// External objects that may still exist, by the id of their intent.
    pub open_intents: BTreeMap<IntentId, Intent>,
    /// The id of the next intent.
    pub next_intent: u64,
    /// The last event's number; 0 if there is none.
    pub last_seq: u64,
}

/// The state of one step instance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InstanceHistory {
    /// The final status, once the instance has one.
    pub status: Option<Status>,
    /// The outputs, if the instance succeeded.
    pub outputs: Option<Value>,
    /// The failure, if the instance failed.
    pub failure: Option<Failure>,
    /// The duration of the instance, in milliseconds.
    pub duration_ms: u64,
    /// The attempts, the first one first.
    pub attempts: Vec<AttemptHistory>,
}

/// The state of one attempt.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AttemptHistory {
    /// The number of incarnations so far.
    pub incarnations: u32,
    /// Whether the attempt ended.
    pub finished: bool,
    /// The attempt's outputs, once it has them: its work is done, even if cleanup is not.
    pub outputs: Option<Value>,
    /// The plugin's last checkpoint.
    pub checkpoint: Option<Value>,
    /// The positions reached in followed pods' logs: by pod (`NAMESPACE/NAME`), then by container.
    /// Only the log reader knows their form.
    pub positions: BTreeMap<String, BTreeMap<String, Value>>,
    /// The offset in the attempt's log file at which the last journaled line ends.
    pub log_end: Option<u64>,
}

impl History {
    /// Builds the history from the records, in order.
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
            // A created object may still exist. Only a removed object, or one that was never
            // created, closes the intent.
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
