//! The cluster under unmodified clients.

#![allow(
    clippy::disallowed_methods,
    reason = "what the tests' own tasks set is no setting of the runner"
)]

mod api;
mod faults;
mod kube_client;
mod kubectl;
mod restart;
mod support;
mod watches;
