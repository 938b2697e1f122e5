use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use sidestep_events::{Done, Event, Failure, IntentId, OnExit, Place};
use sidestep_policy::StepScopes;
use tokio_util::sync::CancellationToken;

use crate::{Masks, Position};

/// What one incarnation of one attempt is about.
#[derive(Clone)]
pub struct StepContext {
    /// The run's id.
    pub run: String,
    /// The digest of the run's plan.
    pub plan: String,
    /// The step's instance: `build`, `build[arch=amd64]`.
    pub instance: String,
    /// The try counted by `retry`, from 1.
    pub attempt: u32,
    /// Whether an earlier incarnation of this attempt was lost.
    pub resumed: bool,
    /// What the plugin stored last, in any incarnation of this attempt.
    pub last_checkpoint: Option<Value>,
    /// Where the reading of followed pods' logs stood when an earlier incarnation was lost: by pod
    /// (`NAMESPACE/NAME`), then by container.
    pub log_positions: HashMap<String, HashMap<String, Position>>,
    /// When the step's time is over.
    pub deadline: Option<Timestamp>,
    /// Ends the incarnation: blocked host calls return at once, then the plugin has its grace.
    pub cancel: CancellationToken,
    /// The secrets known to the run.
    pub masks: Arc<Masks>,
    /// What the step may do.
    pub scopes: Arc<StepScopes>,
    /// Where everything that happens goes.
    pub sink: Arc<dyn StepSink>,
}

impl StepContext {
    /// Sends an event on its way, masked.
    pub fn emit(&self, event: Event) {
        self.sink.event(self.masks.event(event));
    }

    /// Returns whether the step's time is over.
    pub(crate) fn is_overdue(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| Timestamp::now() >= deadline)
    }

    /// Returns which attempt of which run this is: what is made outside says so.
    pub fn made_by(&self) -> String {
        made_by(&self.run, &self.instance, self.attempt, &self.plan)
    }
}

/// Returns the mark of what an attempt makes outside, `RUN/INSTANCE/ATTEMPT/PLAN`. The plan's digest
/// is part of it because jobs on separate hosts can have one run id.
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

/// Where an incarnation's events and records go. The engine implements it; the envelope (run,
/// step, attempt, sequence) is its own matter.
#[async_trait]
pub trait StepSink: Send + Sync {
    /// Takes an event that is already masked. Must not block.
    fn event(&self, event: Event);

    /// Journals that an outside object is about to be made. The record is on disk when this
    /// returns.
    async fn intent(&self, intent: NewIntent) -> Result<IntentId, Failure>;

    /// Journals an intent's end.
    async fn done(&self, done: Done) -> Result<(), Failure>;

    /// Journals what the plugin wants to remember, in place of what it stored before.
    async fn checkpoint(&self, state: Value) -> Result<(), Failure>;

    /// Why nothing more of this attempt is kept, once it has used up its room in the run's journal
    /// or log files: the attempt fails with it.
    fn exhausted(&self) -> Option<Failure> {
        None
    }
}

/// An intent before the journal has given it its id; instance and attempt are the step's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIntent {
    /// What it is: `pod`, `secret`, `object`.
    pub kind: String,
    /// Where it will be.
    pub place: Place,
    /// Its name there.
    pub name: String,
    /// What the host does with it when the attempt ends.
    pub on_exit: OnExit,
    /// When it may be swept whatever happened.
    pub expiry: Option<Timestamp>,
}
