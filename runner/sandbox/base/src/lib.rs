//! The parts that several of the sandbox's servers share: reading requests, state behind a lock,
//! files of a state directory.
//!
//! It depends on no API and no identity: each server adds its own errors and permissions.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod authorization;
pub mod disk;
mod mask;
pub mod names;
mod origin;
mod query;
mod random;
mod range;
mod watched;

pub use authorization::{Authorization, GOOGLE_CHALLENGE};
pub use mask::{InvalidMask, Mask};
pub use origin::{Origin, OverTls};
pub use query::{InvalidNumber, Query};
pub use random::{random_bytes, random_id};
pub use range::{OutOfRange, Span};
pub use watched::Watched;
