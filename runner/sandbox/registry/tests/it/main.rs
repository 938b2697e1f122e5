//! The sandbox's registry, checked by third-party clients and on the wire.

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
mod manifests;
mod messages;
mod oci;
mod restart;
mod server;
mod skopeo;
mod uploads;
