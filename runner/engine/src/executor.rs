use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use sidestep_events::Failure;
use tokio_util::sync::CancellationToken;

use crate::AttemptSink;

/// What a step holds from its start to its end: room for its memory, for example. It is given back
/// when it is dropped.
pub type Admitted = Box<dyn Send + Sync>;

/// Why a step can't start yet.
pub struct Wait {
    /// What it waits for, for people.
    pub reason: String,
    /// Completes when it is worth asking again.
    pub until: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl std::fmt::Debug for Wait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wait")
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// Runs one incarnation of one attempt.
#[async_trait]
pub trait Executor: Send + Sync {
    /// Takes what a step needs to start, or says what it has to wait for. Where no other step of
    /// the run goes on, nothing is given back any more, and the step fails instead.
    fn admit(&self) -> Result<Admitted, Wait> {
        Ok(Box::new(()))
    }

    /// Runs it to its outputs. When `cancel` fires it should end soon; after the grace it is
    /// dropped, and must then leave nothing running on this machine. What it makes outside it
    /// tells `sink` first.
    async fn execute(
        &self,
        work: Work,
        sink: Arc<AttemptSink>,
        cancel: CancellationToken,
    ) -> Result<Value, Failure>;
}

/// What an executor is to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// The instance's index in the program.
    pub index: usize,
    /// The step's id.
    pub step: String,
    /// The instance.
    pub instance: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The incarnation of the attempt, from 1.
    pub incarnation: u32,
    /// Whether an earlier incarnation of this attempt was lost.
    pub resumed: bool,
    /// What that one last wanted to remember.
    pub checkpoint: Option<Value>,
    /// Where that one's reading of followed pods' logs stood: by pod, then by container.
    pub positions: BTreeMap<String, BTreeMap<String, Value>>,
    /// The inputs.
    pub inputs: Value,
    /// How long it has; the engine cancels it then.
    pub timeout: Option<Duration>,
}
