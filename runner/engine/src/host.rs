use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sidestep_evaluator::Evaluator;
use sidestep_events::{Done, Event, Failure, IntentId};
use sidestep_gate::{Masks, NewIntent, Position, Services, StepContext, StepSink};
use sidestep_host::{Incarnation, Plugin, Room};
use sidestep_pipeline::Plan;
use tokio_util::sync::CancellationToken;

use crate::{Admitted, AttemptSink, Executor, Wait, Work};

/// Runs attempts in the plugin host.
#[derive(Debug)]
pub struct HostExecutor {
    /// The run's id.
    pub run: String,
    /// The plan that the attempts belong to.
    pub plan: Arc<Plan>,
    /// The digest of the plan that the run was started with. It is part of the mark of the run's
    /// external objects, so every process that resumes the run must use the same one.
    pub plan_digest: String,
    /// The plan's plugins, by digest.
    pub plugins: HashMap<String, Plugin>,
    /// Evaluates the scopes that a step's plugin requests, once the step's inputs are known.
    pub evaluator: Arc<dyn Evaluator>,
    /// The services that capabilities use.
    pub services: Arc<Services>,
    /// The secrets known to the run.
    pub masks: Arc<Masks>,
    /// The memory that all attempts share.
    pub room: Arc<Room>,
}

#[async_trait]
impl Executor for HostExecutor {
    fn admit(&self) -> Result<Admitted, Wait> {
        match self.room.admit() {
            Ok(admitted) => Ok(Box::new(admitted)),
            Err(freed) => Err(Wait {
                reason: format!(
                    "all of the {} MiB for steps are in use (setting `memory`)",
                    self.room.ceiling() >> 20
                ),
                until: Box::pin(freed),
            }),
        }
    }

    async fn execute(
        &self,
        work: Work,
        sink: Arc<AttemptSink>,
        cancel: CancellationToken,
    ) -> Result<Value, Failure> {
        let instance = &self.plan.instances[work.index];
        let plugin = self
            .plugins
            .get(&instance.plugin_digest)
            .ok_or_else(|| Failure::bug(format!("the plugin of {} was not loaded", instance.id)))?;
        // Scopes that depend on other steps are known only now, and may still be refused.
        let scopes = instance.scopes(&self.plan, &self.evaluator, &work.inputs)?;
        let context = StepContext {
            run: self.run.clone(),
            plan: self.plan_digest.clone(),
            instance: work.instance,
            attempt: work.attempt,
            resumed: work.resumed,
            last_checkpoint: work.checkpoint,
            log_positions: positions(work.positions),
            deadline: work.timeout.and_then(|limit| {
                let limit = SignedDuration::try_from(limit).ok()?;
                Timestamp::now().checked_add(limit).ok()
            }),
            cancel,
            masks: self.masks.clone(),
            scopes: Arc::new(scopes),
            sink,
        };
        let incarnation = Incarnation {
            context,
            services: self.services.clone(),
            inputs: work.inputs,
            // The engine cancels when the timeout expires, so that the plugin gets its grace
            // period.
            timeout: None,
        };
        plugin.run(incarnation).await
    }
}

#[async_trait]
impl StepSink for AttemptSink {
    fn event(&self, event: Event) {
        self.event(event);
    }

    async fn intent(&self, intent: NewIntent) -> Result<IntentId, Failure> {
        self.intent(
            &intent.kind,
            intent.location,
            &intent.name,
            intent.on_exit,
            intent.expiry,
        )
    }

    async fn done(&self, done: Done) -> Result<(), Failure> {
        self.done(done.intent, done.id, done.removed)
    }

    async fn checkpoint(&self, state: Value) -> Result<(), Failure> {
        self.checkpoint(state)
    }

    fn exhausted(&self) -> Option<Failure> {
        self.exhausted()
    }
}

/// Converts the positions to the log reader's form. If a position can't be read, its log is read
/// from the start, since reading a line twice is better than losing it.
fn positions(
    known: BTreeMap<String, BTreeMap<String, Value>>,
) -> HashMap<String, HashMap<String, Position>> {
    let of_pod = |containers: BTreeMap<String, Value>| {
        containers
            .into_iter()
            .filter_map(|(name, position)| Some((name, serde_json::from_value(position).ok()?)))
            .collect()
    };
    known
        .into_iter()
        .map(|(pod, containers)| (pod, of_pod(containers)))
        .collect()
}
