//! The build context as its users see it, and beside other people's tools.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod archive;
mod attacks;
mod context;
mod dockerfiles;
mod judge;
mod random;
mod tools;
