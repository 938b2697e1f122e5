//! The cluster under unmodified clients.

mod api;
mod faults;
mod kube_client;
mod kubectl;
mod restart;
mod support;
mod watches;
