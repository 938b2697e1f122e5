//! Helpers for tests in any crate: servers on loopback, third-party programs, guests, files.
//!
//! It depends on no crate of the project, so that a change in one does not rebuild all tests. A
//! step for the tests of capabilities is in `runner/capabilities/testing`.

#![allow(
    clippy::disallowed_methods,
    reason = "the variables of a test's environment are not settings of the runner"
)]

pub mod files;
pub mod guests;
pub mod programs;
pub mod registry;
mod reply;
mod server;

pub use reply::{Reply, send};
pub use server::{Port, Server, serve};
