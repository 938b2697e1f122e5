//! The plugin host: loads components and runs each incarnation of a step in a Store of its own.
//!
//! A component is validated and read by the catalog, compiled once (or taken from the cache of
//! compiled code), and linked with exactly the capabilities that its manifest requests; any other
//! import is an error before it starts. An incarnation is bounded in memory, time, and in what it
//! may ask of the host; whatever it does, the host lives on and says what happened.
//!
//! This crate must not know what a capability does, what a pipeline is, or how events are shown.

mod aot;
mod engine;
mod limits;
mod link;
mod output;
mod plugin;
mod run;
mod ticker;
mod trap;

pub use limits::Limits;
pub use plugin::{HostConfig, Plugin, PluginHost, precompile};
pub use run::Incarnation;
