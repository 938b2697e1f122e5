use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use sidestep_events::Failure;
use tokio_util::sync::CancellationToken;

use crate::AttemptSink;

/// The resources that a step holds from its start to its end, such as memory. Dropping the value
/// releases them.
pub type Admitted = Box<dyn Send + Sync>;

/// The reason why a step can't start yet.
pub struct Wait {
    /// The reason, as a text for people.
    pub reason: String,
    /// Completes when it is worth trying again.
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
    /// Reserves what a step needs to start, or returns what it has to wait for. If no other step of
    /// the run is in progress, nothing can be released any more, and the step fails instead.
    fn admit(&self) -> Result<Admitted, Wait> {
        Ok(Box::new(()))
    }

    /// Runs the work and returns its outputs.
    ///
    /// When `cancel` fires, the executor should end soon. After the grace period the future is
    /// dropped, and must leave nothing running on this machine. Before it creates an external
    /// object, it must declare the object to `sink`.
    async fn execute(
        &self,
        work: Work,
        sink: Arc<AttemptSink>,
        cancel: CancellationToken,
    ) -> Result<Value, Failure>;
}

/// The work of one incarnation of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// The instance's index in the program.
    pub index: usize,
    /// The step's id.
    pub step: String,
    /// The instance's name.
    pub instance: String,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The number of the attempt's incarnation, from 1.
    pub incarnation: u32,
    /// Whether an earlier incarnation of this attempt was lost.
    pub resumed: bool,
    /// The last checkpoint of the earlier incarnation.
    pub checkpoint: Option<Value>,
    /// The positions in the followed pods' logs that the earlier incarnation had reached, by pod,
    /// then by container.
    pub positions: BTreeMap<String, BTreeMap<String, Value>>,
    /// The step's inputs.
    pub inputs: Value,
    /// The timeout of the attempt. The engine cancels it after that.
    pub timeout: Option<Duration>,
}
