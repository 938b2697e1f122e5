//! The sandbox's registry, judged by other people's clients and by the wire.

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
