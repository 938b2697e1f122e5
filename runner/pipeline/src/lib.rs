//! The pipeline language: from a file's text to a checked [`Pipeline`], and from that, with its
//! plugins' manifests, inputs and policies, to a [`Plan`]: the data that a run executes.
//!
//! [`parse()`] and [`plan()`] find everything that can be found before the run, and report all of it
//! at once, with places; [`parse_partly`] and [`plan_partly`] go as far as possible with a wrong
//! file. During a run, [`RunState`] holds the status of each instance, and an [`Instance`]
//! computes whether it runs and with which inputs.
//!
//! This crate does no IO. It must not know how plugins are found or run, where the state of a run
//! is stored, or how anything is shown; it does not know wasmtime, Kubernetes or Google.

mod context;
mod expression;
mod file;
mod functions;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod given;
mod graph;
mod ids;
mod json_schema;
mod judged;
mod manifest;
mod matrix;
mod outputs;
mod parse;
mod plan;
mod planner;
mod problems;
mod read;
mod request;
mod resolve;
mod retry;
mod scalars;
mod schema;
mod select;
mod sense;
mod state;
mod step;
mod steps;
mod template;
mod values;
mod with;

pub use expression::MAX_EXPRESSION;
pub use file::{Pipeline, Source};
pub use given::{Led, Links, PlanInputs, PluginInfo};
pub use json_schema::schema_pipeline;
pub use judged::AUDIT;
pub use manifest::Manifest;
pub use parse::{Parsed, parse, parse_partly};
pub use plan::{Instance, Plan, Retry, SecretSource, Seen};
pub use planner::{MAX_INSTANCES, Planned, plan, plan_partly};
pub use request::check_requests;
pub use select::UnknownStep;
pub use state::{Condition, InstanceState, RunState};
pub use template::{Piece, Template};
pub use values::read_values;
