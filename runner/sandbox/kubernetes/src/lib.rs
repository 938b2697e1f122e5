//! A small Kubernetes: an API server for unmodified kubectl and client libraries, and the lifecycle
//! of pods on its one kind of node.
//!
//! It stores its objects in a folder, authorizes callers by the sandbox's IAM (`container.*`
//! permissions on the cluster's project) and by its own service-account tokens, and runs a pod's
//! containers through a [`Runtime`]. It does not depend on kaniko, on the other Google APIs, or on
//! how a process is started.

mod api;
mod auth;
mod clock;
mod cluster;
mod config;
mod defaults;
mod discovery;
mod error;
mod gc;
mod journal;
mod key;
mod kinds;
mod logs;
mod names;
mod openapi;
mod patch;
mod plant;
mod pods;
mod seed;
mod selectors;
mod shared;
mod status;
mod store;
mod table;
mod tokens;
mod validate;

pub use cluster::Kubernetes;
pub use config::{Config, Timing};
pub use error::OpenError;
pub use logs::{LogWriter, Output};
pub use pods::faults::{
    By, Disruption, Faults, Hang, ImagePull, OutOfMemory, Sidecar, SlowStart, Unschedulable,
};
pub use pods::resolve::{Mount, ResolvedContainer};
pub use pods::runtime::{ContainerExit, PullError, Runtime, Stop};
pub use seed::{default_objects, service_account};
pub use status::ApiError;
pub use tokens::{Subject, TokenError};
