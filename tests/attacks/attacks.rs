//! Attacks: attempts by untrusted plugins, pipelines and files to exceed their grants.
//!
//! Each test runs the command as its users do, within limits that the kernel enforces
//! ([`harness::Bounds`]). It asserts that the user sees the right message, that the runner
//! survives, and that the next step runs. There is one file per kind of attack. `guest` is the
//! plugin that performs them.

mod budgets;
mod claims;
mod cluster;
mod compiling;
mod crowd;
mod expressions;
mod files;
mod forge;
pub(crate) mod harness;
mod honest;
mod http;
mod machine;
mod manifest;
mod many_errors;
mod names;
mod resumed;
mod sandbox;
mod secrets;
mod settings;
mod texts;
mod time;
mod together;
