//! The cluster under unmodified clients.

#![allow(
    clippy::disallowed_methods,
    reason = "the variables of the tests' own tasks are not settings of the runner"
)]

mod api;
mod faults;
mod kube_client;
mod kubectl;
mod restart;
mod support;
mod watches;
