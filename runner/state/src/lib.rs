//! Stores a run's state: its journal, its attempts' logs, its lock, and the list of all runs.
//!
//! The only backend is a folder on disk. This crate stores and returns data; it must not know how a
//! run is executed, what a plugin is, or how anything is shown.

mod ci;
mod damage;
mod error;
mod events;
mod frame;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod history;
mod id;
mod journal;
mod leftovers;
mod lines;
mod lock;
mod log;
mod own;
mod reader;
mod runs;

pub use ci::{RUN_KEY, ci_variables};
pub use damage::{Damage, DamagedJournal};
pub use error::{LOCKED, StateError};
pub use events::{Events, Told};
pub use history::{AttemptHistory, History, InstanceHistory};
pub use id::{RunId, RunIdError};
pub use journal::{Account, Journal, JournalWriter, read_account, read_journal};
pub use leftovers::Writer;
pub use lines::LineGroup;
pub use lock::RunLock;
pub use log::{AttemptLog, LogReader};
pub use reader::{Entry, JournalReader};
pub use runs::{RunFolder, RunSummary, Runs};
