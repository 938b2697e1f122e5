//! Launches pipelines: finds and checks their plugins, connects to a cloud, creates and locks the
//! run's folder, starts or resumes the run, and cleans up after earlier runs.
//!
//! The caller (the command line, an agent) passes a [`Site`] and shows the results. This crate does
//! not print, read the command line, or end the process.

mod cleaner;
mod cloud;
mod equipment;
mod error;
mod facts;
mod finding;
mod gc;
mod locked_run;
mod machine;
mod origin;
mod policies;
mod prepare;
mod resume;
mod run;
mod site;

pub use cloud::{Clients, Cloud, Sandboxed};
pub use equipment::catalog;
pub use error::{Error, no_home, run_id};
pub use finding::{Fate, Finding};
pub use gc::{Spot, Sweep, exit};
pub use locked_run::LockedRun;
pub use machine::memory;
pub use origin::Asked;
pub use prepare::{Given, Prepared, prepare};
pub use resume::{Resumed, resume};
pub use run::{Launch, Opened, Ready, RunLimits};
pub use site::{Environment, Note, Notes, PolicyFiles, Site};
