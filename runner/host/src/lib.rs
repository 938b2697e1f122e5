//! The plugin host: loads components and runs each incarnation of a step in its own Store.
//!
//! The catalog reads a component. The host validates and compiles it once in a separate process, or
//! loads it from the cache of compiled code. It links exactly the capabilities that the manifest
//! requests; any other import is an error before the plugin starts. Each incarnation has limits on
//! memory, time, and calls to the host. No behaviour of a plugin ends the host, which reports how
//! each incarnation ended.
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
