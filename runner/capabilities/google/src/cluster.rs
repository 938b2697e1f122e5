//! What the clients of Google and those of clusters have of each other.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use sidestep_events::Failure;

use crate::Name;

/// The form of a cluster's name.
pub const CLUSTER: &str = "projects/P/locations/L/clusters/C";

/// Where a cluster's API server is, as Kubernetes Engine has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiServer {
    /// Its host, with a port if it has one; empty before there is one.
    pub endpoint: String,
    /// The certificates that it is trusted by, base64 of PEM; empty for those that the machine
    /// trusts.
    pub authority: String,
}

/// Finds clusters by their resource names.
#[async_trait]
pub trait FindsClusters: Debug + Send + Sync {
    /// Returns where the API server of `projects/P/locations/L/clusters/C` is.
    async fn api_server(&self, cluster: &Name) -> Result<ApiServer, Failure>;
}

/// A token of a Kubernetes service account that is wanted (Kubernetes, `TokenRequest`).
#[derive(Debug, Clone, Copy)]
pub struct TokenOf<'a> {
    /// The account's namespace.
    pub namespace: &'a str,
    /// The account's name.
    pub service_account: &'a str,
    /// Whom the token is for.
    pub audience: &'a str,
    /// How long it lives, in seconds.
    pub life: u32,
}

/// Issues the tokens of one cluster.
#[async_trait]
pub trait IssuesTokens: Send + Sync {
    /// Returns the API server's answer, which holds the token at `status.token`. `what` completes
    /// "cannot …"; one answer may take as long as `patience`.
    async fn issue(
        &self,
        what: &str,
        token: TokenOf<'_>,
        patience: Duration,
    ) -> Result<Value, Failure>;
}

/// Reaches clusters, each by its name.
#[async_trait]
pub trait ReachesClusters: Debug + Send + Sync {
    /// Returns who issues the cluster's tokens.
    ///
    /// # Errors
    /// When there is no such cluster or its description can't be used.
    async fn tokens(&self, cluster: &str) -> Result<Box<dyn IssuesTokens>, Failure>;
}
