//! The plugin host: loads components and runs each incarnation of a step in a Store of its own.
//!
//! A component is read by the catalog, validated and compiled once in a process of its own (or taken
//! from the cache of compiled code), and linked with exactly the capabilities that its manifest requests; any other
//! import is an error before it starts. An incarnation is bounded in memory, time, and in what it
//! may ask of the host; whatever it does, the host lives on and says what happened.
//!
//! This crate must not know what a capability does, what a pipeline is, or how events are shown.

mod aot;
mod compile;
mod engine;
mod evaluator;
mod limits;
mod link;
mod output;
mod plugin;
mod room;
mod run;
mod ticker;
mod trap;

pub use compile::child::compile_if_asked;
pub use compile::{Apart, CompileLimits, Compiler, Compiling, Notice};
pub use evaluator::{EvaluationLimits, ModuleEvaluator, precompile_evaluator, warm_evaluator};
pub use limits::Limits;
pub use plugin::{HostConfig, Plugin, PluginHost, precompile};
pub use room::{Admitted, FLOOR, Room};
pub use run::Incarnation;
