//! The sandbox's Cloud Storage, checked by Google's own clients and on the wire.

#![allow(
    clippy::disallowed_methods,
    reason = "the tests read variables of their own, not settings of the runner"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::large_futures,
    clippy::print_stderr,
    clippy::similar_names,
    clippy::unwrap_used
)]

mod access;
mod gcloud;
mod json;
mod messages;
mod official;
mod restart;
mod resumable;
mod server;
mod xml;
