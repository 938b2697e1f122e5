//! The servers as clients see them: plain HTTP, and the real gcloud.

#![allow(
    clippy::disallowed_methods,
    reason = "the tests read variables of their own, not settings of the runner"
)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::print_stderr, reason = "a test that is not run says so")]

mod access;
mod clients;
mod exchange;
mod federation;
mod gcloud;
mod keys;
mod metadata;
mod requests;
mod world;
