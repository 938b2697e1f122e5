//! Google's side of Workload Identity as HTTP servers that enforce identity.
//!
//! [`Cloud`] is the state behind them (projects' enabled APIs, GKE clusters, repositories,
//! secrets), [`router`] serves one API of it, [`metadata::router`] is the metadata server that
//! one pod sees, and [`Seed`] and [`Scenario`] say what it all starts as.
//!
//! It must not know Cloud Storage's objects, images, or Kubernetes' API: those servers share
//! [`Identity`](sidestep_sandbox_identity::Identity) with it, and what it needs of a cluster it
//! asks through [`Clusters`].

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod api;
mod apis;
mod call;
mod cloud;
mod clusters;
mod developer;
mod enums;
mod error;
mod guard;
mod id_tokens;
mod images;
mod mask;
pub mod metadata;
mod page;
mod scenario;
mod seed;
mod serve;
mod state;

pub use api::Api;
pub use apis::sts::{DEVELOPER_AUDIENCE, SUBJECT_TOKEN_TYPE};
pub use cloud::Cloud;
pub use clusters::{Clusters, NoClusters, PodSubject, TokenRefused};
pub use developer::developer_credentials;
pub use images::{DockerImage, Images};
pub use scenario::{Scenario, ScenarioError, scenarios};
pub use seed::{Seed, SeedBucket, SeedServiceAccount};
pub use serve::{by_host, router};
pub use state::{Secret, SecretVersion, SigningKey, State};
