//! Takes a pipeline to a run: finds and checks its plugins, connects it to a cloud, takes its place
//! on disk, starts or resumes it, and cleans up what earlier runs left.
//!
//! Whoever launches runs (the command line, an agent) gives it a [`Site`] and shows what comes of
//! it. Nothing here prints, reads the command line, or ends the process.

mod cleaner;
mod cloud;
mod equipment;
mod error;
mod facts;
mod gc;
mod machine;
mod place;
mod policies;
mod prepare;
mod resume;
mod run;
mod site;

pub use cloud::{Clients, Cloud, Sandboxed};
pub use equipment::catalog;
pub use error::{Error, no_home, run_id};
pub use gc::{Fate, Finding, Spot, Sweep, exit};
pub use machine::memory;
pub use place::Place;
pub use prepare::{Given, Prepared, prepare};
pub use resume::{Resumed, resume};
pub use run::{Launch, Opened, Ready, RunLimits};
pub use site::{Environment, Note, Notes, PolicyFiles, Site};
