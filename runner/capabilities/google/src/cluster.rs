//! The interface between the clients of Google and those of clusters.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use sidestep_events::Failure;

use crate::Name;

/// The form of a cluster's name.
pub const CLUSTER: &str = "projects/P/locations/L/clusters/C";

/// The address of a cluster's API server, from Kubernetes Engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiServer {
    /// The host, with a port if it has one; empty while the cluster has none.
    pub endpoint: String,
    /// The CA certificates, base64 of PEM; empty for the certificates that the machine trusts.
    pub authority: String,
}

/// Finds clusters by their resource names.
#[async_trait]
pub trait FindsClusters: Debug + Send + Sync {
    /// Returns the address of the API server of `projects/P/locations/L/clusters/C`.
    async fn api_server(&self, cluster: &Name) -> Result<ApiServer, Failure>;
}

/// A request for the token of a Kubernetes service account (Kubernetes, `TokenRequest`).
#[derive(Debug, Clone, Copy)]
pub struct TokenOf<'a> {
    /// The account's namespace.
    pub namespace: &'a str,
    /// The account's name.
    pub service_account: &'a str,
    /// The token's audience.
    pub audience: &'a str,
    /// The token's lifetime, in seconds.
    pub life: u32,
}

/// Issues the tokens of one cluster.
#[async_trait]
pub trait IssuesTokens: Send + Sync {
    /// Returns the API server's answer, which holds the token at `status.token`. `what` completes
    /// "cannot …"; `patience` is the timeout of one answer.
    async fn issue(
        &self,
        what: &str,
        token: TokenOf<'_>,
        patience: Duration,
    ) -> Result<Value, Failure>;
}

/// Connects to clusters, each by its name.
#[async_trait]
pub trait ReachesClusters: Debug + Send + Sync {
    /// Returns the issuer of the cluster's tokens.
    ///
    /// # Errors
    /// When there is no such cluster or its description cannot be used.
    async fn tokens(&self, cluster: &str) -> Result<Box<dyn IssuesTokens>, Failure>;
}
