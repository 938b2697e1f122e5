use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use sidestep_events::{Done, Event, Failure, IntentId, Location, OnExit};
use sidestep_policy::StepScopes;
use tokio_util::sync::CancellationToken;

use crate::{Masks, Position};

/// The context of one incarnation of one attempt.
#[derive(Clone)]
pub struct StepContext {
    /// The run's id.
    pub run: String,
    /// The digest of the run's plan.
    pub plan: String,
    /// The step's instance: `build`, `build[arch=amd64]`.
    pub instance: String,
    /// The number of the attempt, counted by `retry` from 1.
    pub attempt: u32,
    /// Whether an earlier incarnation of this attempt was lost.
    pub resumed: bool,
    /// The last checkpoint that the plugin stored, in any incarnation of this attempt.
    pub last_checkpoint: Option<Value>,
    /// The positions in followed pods' logs when an earlier incarnation was lost: by pod
    /// (`NAMESPACE/NAME`), then by container.
    pub log_positions: HashMap<String, HashMap<String, Position>>,
    /// The end of the step's time.
    pub deadline: Option<Timestamp>,
    /// Ends the incarnation: blocked host calls return at once, then the plugin has its grace
    /// period.
    pub cancel: CancellationToken,
    /// The secrets known to the run.
    pub masks: Arc<Masks>,
    /// The step's permissions.
    pub scopes: Arc<StepScopes>,
    /// The sink of all events and records.
    pub sink: Arc<dyn StepSink>,
}

impl StepContext {
    /// Masks an event and sends it.
    pub fn emit(&self, event: Event) {
        self.sink.event(self.masks.event(event));
    }

    /// Returns whether the step's time is over.
    pub(crate) fn is_overdue(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| Timestamp::now() >= deadline)
    }

    /// Returns the mark of this attempt, which is put on the external objects that it creates.
    pub fn made_by(&self) -> String {
        made_by(&self.run, &self.instance, self.attempt, &self.plan)
    }
}

/// Returns the mark of an attempt's external objects, `RUN/INSTANCE/ATTEMPT/PLAN`. The plan's digest
/// is part of it because jobs on separate hosts can have the same run id.
pub fn made_by(run: &str, instance: &str, attempt: u32, plan: &str) -> String {
    format!("{run}/{instance}/{attempt}/{plan}")
}

impl std::fmt::Debug for StepContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StepContext")
            .field("run", &self.run)
            .field("instance", &self.instance)
            .field("attempt", &self.attempt)
            .field("resumed", &self.resumed)
            .finish_non_exhaustive()
    }
}

/// The sink of an incarnation's events and records. The engine implements it and adds the envelope
/// (run, step, attempt, sequence).
#[async_trait]
pub trait StepSink: Send + Sync {
    /// Takes an event that is already masked. Must not block.
    fn event(&self, event: Event);

    /// Journals that an external object is about to be created. The record is on disk when this
    /// returns.
    async fn intent(&self, intent: NewIntent) -> Result<IntentId, Failure>;

    /// Journals an intent's end.
    async fn done(&self, done: Done) -> Result<(), Failure>;

    /// Journals the plugin's checkpoint, which replaces the previous one.
    async fn checkpoint(&self, state: Value) -> Result<(), Failure>;

    /// Returns the failure of an attempt that has used up its space in the run's journal or log
    /// files; nothing more of the attempt is kept.
    fn exhausted(&self) -> Option<Failure> {
        None
    }
}

/// An intent before the journal has given it its id; instance and attempt are the step's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIntent {
    /// The object's kind: `pod`, `secret`, `object`.
    pub kind: String,
    /// The object's future location.
    pub location: Location,
    /// The object's name at that location.
    pub name: String,
    /// The host's action on the object when the attempt ends.
    pub on_exit: OnExit,
    /// The time after which it may be cleaned up in any case.
    pub expiry: Option<Timestamp>,
}
