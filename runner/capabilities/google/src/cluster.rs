//! The interface between the clients of Google and those of clusters.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use sidestep_events::Failure;

use crate::Name;

/// The form of a cluster's name.
pub const CLUSTER: &str = "projects/P/locations/L/clusters/C";

/// The addresses of a cluster's API server, from Kubernetes Engine. An address is a host, with a
/// port if it has one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiServer {
    /// The address on the internet.
    pub public: Option<String>,
    /// The address in the cluster's network.
    pub private: Option<String>,
    /// The name that Google's frontend serves.
    pub dns: Option<DnsEndpoint>,
    /// The CA certificates of the first two addresses, base64 of PEM; empty for the certificates
    /// that the machine trusts.
    pub authority: String,
}

/// A cluster's DNS endpoint. Its certificate is from a public CA, and callers need the permission
/// `container.clusters.connect`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DnsEndpoint {
    /// The host: `gke-….LOCATION.gke.goog`.
    pub host: String,
    /// Whether it accepts requests from outside of Google's services.
    pub is_open: bool,
}

/// Finds clusters by their resource names.
#[async_trait]
pub trait FindsClusters: Debug + Send + Sync {
    /// Returns the addresses of the API server of `projects/P/locations/L/clusters/C`.
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
