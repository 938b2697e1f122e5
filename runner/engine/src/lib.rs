//! Runs a plan: decides which steps may start, runs them in parallel, retries failures, enforces
//! time limits, and handles cancelled and resumed runs.
//!
//! Events are the only output: the [`Recorder`] numbers each event, writes it to the journal and
//! passes it to the [`Reports`] that reporters read. The engine must not print, and must not know
//! what a step does: an [`Executor`] runs one attempt, and a [`Cleaner`] removes the objects that
//! attempts left behind.

mod attempts;
mod backoff;
mod budget;
mod cleaner;
mod deadline;
mod execute;
mod executor;
mod host;
mod leftovers;
mod options;
mod plan;
mod program;
mod recorder;
mod reports;
mod run;
mod schedule;
mod shared;
mod sink;
mod start;
mod stop;

pub use budget::Ceilings;
pub use cleaner::{Cleaner, NoCleaner, Removal};
pub use executor::{Admitted, Executor, Wait, Work};
pub use host::HostExecutor;
pub use leftovers::{Leftover, collect, name_of, was_detached};
pub use options::RunOptions;
pub use plan::{Facts, PlanProgram};
pub use program::{Node, NodeState, Pool, Program, Retry, RunView, Verdict};
pub use recorder::Recorder;
pub use reports::Reports;
pub use run::{RunEnd, run};
pub use sink::AttemptSink;
pub use stop::{Stop, StopReason};
