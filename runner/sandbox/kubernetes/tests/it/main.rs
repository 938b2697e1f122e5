//! The cluster under unmodified clients.

#![allow(
    clippy::disallowed_methods,
    reason = "the tests read variables of their own, not settings of the runner"
)]

mod api;
mod faults;
mod kube_client;
mod kubectl;
mod on_a_cluster;
mod restart;
mod support;
mod watches;
