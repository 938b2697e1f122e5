//! The sandbox: Google's side of Workload Identity and a small Kubernetes, as one process with
//! persistent state.
//!
//! This crate combines the servers ([`serve`]), provides the runtime of their pods, and finds or
//! starts the process from another one ([`attach()`]). It must not depend on pipelines, plugins or
//! runs: to the runner it is a cloud like any other, at other addresses.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod activity;
mod attach;
mod backends;
mod behind;
mod callers;
mod clients;
mod error;
mod exports;
mod front;
mod google_names;
mod installed;
mod jobs;
mod listeners;
mod live;
mod memory;
mod name;
mod own;
mod pods;
mod reach;
mod relays;
mod server;
mod users;
mod webhook;

pub use attach::{Attached, Reset, Start, Stopped, attach, live, reset, stop};
pub use callers::{Caller, CallerFiles, DEVELOPER, files};
pub use error::SandboxError;
pub use exports::{Exports, exports, proxy_exports};
pub use google_names::GoogleNames;
pub use installed::{Installed, NotRemoved, installed};
pub use jobs::{JobOf, job_exports};
pub use live::{Live, Places};
pub use name::Name;
pub use pods::LocalImages;
pub use reach::Reach;
pub use server::{Options, serve};
pub use sidestep_sandbox_admission as admission;
pub use sidestep_sandbox_base::names::METADATA_ADDRESS;
pub use sidestep_sandbox_cluster::{ClusterError, Namespaces, Right, User};
pub use sidestep_sandbox_google::{Scenario, scenarios};
pub use sidestep_sandbox_image as image;
pub use sidestep_sandbox_kaniko as kaniko;
pub use sidestep_sandbox_relay::pod as relay;
pub use users::{LiveCluster, UserCluster, last_cluster};
