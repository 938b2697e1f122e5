//! Attacks: what a stranger's plugin, pipeline or file tries beyond what was granted.
//!
//! Each test runs the command as its users do, within limits that the kernel enforces
//! ([`harness::Bounds`]), and asserts what the user sees, that the runner lives, and that the next
//! step runs. One file a kind of attack; `guest` is the plugin that performs them.

mod budgets;
mod claims;
mod compiling;
mod crowd;
mod expressions;
mod files;
mod forge;
mod harness;
mod honest;
mod http;
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
