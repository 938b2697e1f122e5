use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use sidestep_events::{Failure, RunStarted, Status};

/// What the engine asks of a plan: the graph, and the values of expressions once they are known.
pub trait Program: Send + Sync {
    /// The first event's facts; the engine sets `resumed`.
    fn describe(&self) -> RunStarted;

    /// All step instances; an index into this list names one everywhere below. Those of `finally`
    /// stand among them.
    fn nodes(&self) -> &[Node];

    /// Whether the instance is to run, now that what it needs is over.
    ///
    /// Fails when the condition can't be evaluated; the instance fails with it.
    fn condition(&self, index: usize, view: &RunView) -> Result<Verdict, Failure>;

    /// The instance's inputs. Asked after the condition was true.
    fn inputs(&self, index: usize, view: &RunView) -> Result<Value, Failure>;

    /// The pipeline's outputs. Asked only after a run that succeeded.
    fn outputs(&self, view: &RunView) -> Result<Option<Value>, Failure>;
}

/// One step instance, as scheduling sees it.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// The step's id in the file.
    pub step: String,
    /// The instance: the id, with the matrix's values where there is one.
    pub instance: String,
    /// The instances that must be over before it.
    pub needs: Vec<usize>,
    /// Whether it belongs to `finally`: it starts when all others are over.
    pub finally: bool,
    /// When an attempt that failed is made again.
    pub retry: Retry,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// The instances that it shares a matrix's limits with.
    pub pool: Option<Pool>,
}

/// When an attempt that failed is made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// How many attempts there are at most; 0 and 1 are one.
    pub attempts: u32,
    /// The classes, codes or prefixes of codes that are worth another attempt.
    pub on: Vec<String>,
    /// The wait before the second attempt; it doubles with each further one.
    pub delay: Duration,
    /// The longest wait.
    pub max_delay: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 1,
            on: Vec::new(),
            delay: Duration::from_secs(2),
            max_delay: Duration::from_mins(1),
        }
    }
}

/// The limits of one matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Its name; the step's id.
    pub name: String,
    /// How many of its instances run side by side.
    pub max_parallel: Option<usize>,
    /// Whether the first failure cancels the others.
    pub fail_fast: bool,
}

/// What a condition says.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Run.
    Run,
    /// Don't.
    Skip {
        /// The condition, as the file has it.
        condition: String,
        /// The value of each name in it.
        values: BTreeMap<String, Value>,
        /// Whether a failure before it is the reason: then it does not satisfy those that need it.
        because_of_failure: bool,
    },
}

/// What is known of the run while it goes on.
#[derive(Debug, Clone, Default)]
pub struct RunView {
    /// Each instance, by its index.
    pub nodes: Vec<NodeState>,
    /// Whether the run was cancelled or ran out of time.
    pub cancelled: bool,
}

/// What is known of one instance.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeState {
    /// Where it stands.
    pub status: Status,
    /// Its outputs, if it succeeded.
    pub outputs: Option<Value>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// For a skipped one: whether a failure before it was the reason.
    pub because_of_failure: bool,
}

impl Default for NodeState {
    fn default() -> Self {
        Self {
            status: Status::Pending,
            outputs: None,
            failure: None,
            because_of_failure: false,
        }
    }
}

impl NodeState {
    /// Whether those that need it may go on as if it had succeeded.
    pub fn satisfies(&self) -> bool {
        self.status.has_outputs() || (self.status == Status::Skipped && !self.because_of_failure)
    }
}
