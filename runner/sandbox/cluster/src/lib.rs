//! A user's Kubernetes cluster, as the sandbox needs it: its description, the check of its
//! service-account tokens, its service accounts, and its pods by their addresses.
//!
//! Pods, accounts and nodes are watched. A pod that asks for its identity is also looked up by its
//! name, at most once in two seconds, since a watch whose connection is cut silently shows an old
//! state.
//! It does not depend on Google's APIs.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod callers;
mod clouds;
mod cluster;
mod connect;
mod error;
mod keys;
mod mirror;
mod objects;
#[cfg(test)]
mod on_a_cluster;
mod rights;
mod server;
mod state;
mod tokens;
mod watch;

pub use callers::{Caller, NoCaller};
pub use cluster::{ApiServer, RealCluster, client};
pub use error::ClusterError;
pub use objects::ServiceAccount;
pub use rights::{Namespaces, Right, User};
pub use server::Server;
pub use tokens::{Rejected, Subject};
