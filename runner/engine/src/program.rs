use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use sidestep_events::{Failure, RunStarted, Status};

/// The engine's view of a plan: the graph, and the values of expressions once they are known.
pub trait Program: Send + Sync {
    /// Returns the first event's facts; the engine sets `resumed`.
    fn describe(&self) -> RunStarted;

    /// Returns all step instances, including those of `finally`. All other methods use indexes into
    /// this list.
    fn nodes(&self) -> &[Node];

    /// Returns whether the instance should run. The engine calls it when all needs of the instance
    /// are over.
    ///
    /// Fails when the condition can't be evaluated; the instance fails with it.
    fn condition(&self, index: usize, view: &RunView) -> Result<Verdict, Failure>;

    /// Returns the instance's inputs. The engine calls it after the condition was true.
    fn inputs(&self, index: usize, view: &RunView) -> Result<Value, Failure>;

    /// Returns the pipeline's outputs. The engine calls it only after a successful run.
    fn outputs(&self, view: &RunView) -> Result<Option<Value>, Failure>;
}

/// One step instance, as the scheduler sees it.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// The step's id in the file.
    pub step: String,
    /// The instance's name: the step's id, with the matrix values if there are any.
    pub instance: String,
    /// The instances that must be over before this one starts.
    pub needs: Vec<usize>,
    /// Whether the instance belongs to `finally`, which starts when all others are over.
    pub finally: bool,
    /// The conditions for retrying a failed attempt.
    pub retry: Retry,
    /// The timeout of one attempt.
    pub timeout: Option<Duration>,
    /// The matrix whose limits the instance shares.
    pub pool: Option<Pool>,
}

/// The conditions for retrying a failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// The maximum number of attempts; 0 counts as 1.
    pub attempts: u32,
    /// The failure classes, codes and code prefixes that are retried.
    pub on: Vec<String>,
    /// The delay before the second attempt; it doubles with each further one.
    pub delay: Duration,
    /// The maximum delay.
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
    /// The pool's name, which is the step's id.
    pub name: String,
    /// The maximum number of its instances that run in parallel.
    pub max_parallel: Option<usize>,
    /// Whether the first failure cancels the others.
    pub fail_fast: bool,
}

/// The result of a condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The instance runs.
    Run,
    /// The instance is skipped.
    Skip {
        /// The condition, as the file has it.
        condition: String,
        /// The value of each name in it.
        values: BTreeMap<String, Value>,
        /// Whether an earlier failure is the reason. Then the instance does not satisfy its
        /// dependents.
        because_of_failure: bool,
    },
}

/// The state of a run in progress.
#[derive(Debug, Clone, Default)]
pub struct RunView {
    /// Each instance, by its index.
    pub nodes: Vec<NodeState>,
    /// Whether the run was cancelled or timed out.
    pub cancelled: bool,
}

/// The state of one instance.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeState {
    /// The instance's status.
    pub status: Status,
    /// The instance's outputs, if it succeeded.
    pub outputs: Option<Value>,
    /// The failure, if the instance failed.
    pub failure: Option<Failure>,
    /// Whether an earlier failure was the reason, for a skipped instance.
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
    /// Returns whether dependents may start as if the instance had succeeded.
    pub fn satisfies(&self) -> bool {
        self.status.has_outputs() || (self.status == Status::Skipped && !self.because_of_failure)
    }
}
