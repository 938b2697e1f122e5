//! Where a run lives: its journal, its attempts' logs, its lock, and the list of all runs.
//!
//! The first form is a folder on disk. This crate stores and reads back what it is given; it must
//! not know how a run is executed, what a plugin is, or how anything is shown.

mod error;
mod frame;
mod history;
mod id;
mod journal;
mod leftovers;
mod lock;
mod log;
mod runs;

pub use error::StateError;
pub use history::{AttemptHistory, History, InstanceHistory};
pub use id::{RunId, RunIdError};
pub use journal::{Journal, JournalWriter, read_journal};
pub use leftovers::Writer;
pub use lock::RunLock;
pub use log::{AttemptLog, read_line_at};
pub use runs::{RunFolder, RunSummary, Runs};
