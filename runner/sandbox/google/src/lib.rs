//! The Google side of Workload Identity, as HTTP servers that enforce permissions.
//!
//! [`Cloud`] is the state behind them (projects' enabled APIs, GKE clusters, repositories,
//! secrets), [`router`] serves one API of it, [`metadata`] has the metadata servers of a pod
//! and of a node, and [`Seed`] and [`Scenario`] define the initial state.
//!
//! It must not depend on Cloud Storage's objects, on images, or on Kubernetes' API: those servers
//! share [`Identity`](sidestep_sandbox_identity::Identity) with it, and it reaches clusters through
//! [`Clusters`].

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod api;
mod apis;
mod call;
pub mod ci;
mod cloud;
mod clusters;
mod developer;
mod enums;
mod error;
mod guard;
mod id_tokens;
mod images;
pub mod metadata;
mod page;
mod scenario;
mod seed;
mod serve;
mod state;

pub use api::Api;
pub use apis::sts::{DEVELOPER_AUDIENCE, SUBJECT_TOKEN_TYPE};
pub use cloud::Cloud;
pub use clusters::{
    ApiServer, Clusters, NoCaller, NoClusters, PodSubject, ServiceAccount, TokenRefused,
};
pub use developer::developer_credentials;
pub use images::{DockerImage, Images};
pub use scenario::{OfJob, Scenario, ScenarioError, scenarios};
pub use seed::{Seed, SeedBucket, SeedServiceAccount};
pub use serve::{by_host, router};
pub use state::{Ci, Secret, SecretVersion, SigningKey, State};
