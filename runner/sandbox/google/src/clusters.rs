//! The interface between Google's APIs and the Kubernetes cluster that they describe: the sandbox's
//! own, or one of the user's.

use std::collections::BTreeMap;
use std::net::IpAddr;

use async_trait::async_trait;

use crate::metadata::PodIdentity;

/// The Kubernetes service account that a token was issued for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodSubject {
    /// The account's namespace.
    pub namespace: String,
    /// The account's name.
    pub service_account: String,
    /// The account's uid.
    pub uid: String,
}

/// The reason why a cluster rejects a token. The text is shown to the sender and must not contain
/// any part of the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TokenRefused(pub String);

/// The parts of a Kubernetes service account that Workload Identity reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceAccount {
    /// The account's uid.
    pub uid: String,
    /// The account's annotations.
    pub annotations: BTreeMap<String, String>,
}

/// The API server of a cluster, as GKE describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiServer {
    /// The host and port, without a scheme.
    pub endpoint: String,
    /// The certificate authority, PEM; empty if its certificate is from a public one.
    pub authority: String,
    /// Whether the sandbox serves it under the name of a DNS endpoint too.
    pub has_dns_endpoint: bool,
    /// The version, such as `1.36.3`, if it is not the seed's.
    pub version: Option<String>,
}

/// The reason why the metadata server does not serve a source address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoCaller {
    /// No pod has the address.
    #[error("{0} is not the address of a running pod that this metadata server serves")]
    Unknown(IpAddr),
    /// The cluster's state does not yet show which pod has the address.
    #[error("the pod at {0} is not known yet; try again")]
    NotYet(IpAddr),
}

/// A Kubernetes cluster, as far as Workload Identity needs it.
#[async_trait]
pub trait Clusters: Send + Sync + 'static {
    /// Returns the API server, which GKE's API describes.
    fn api_server(&self) -> ApiServer;

    /// Checks a service-account token's signature, lifetime and audience, and that its account
    /// still exists with the uid that the token names.
    async fn verify_token(&self, jwt: &str, audience: &str) -> Result<PodSubject, TokenRefused>;

    /// Returns a service account; `None` if it does not exist.
    fn service_account(&self, namespace: &str, name: &str) -> Option<ServiceAccount>;

    /// Returns the caller with a source address, for the metadata server of a node: one of that
    /// node's, if the node is known. Waits for a while if the pod is not known yet.
    async fn caller(&self, source: IpAddr, node: Option<&str>) -> Result<PodIdentity, NoCaller>;
}

/// No cluster: rejects every token and every address, and has no service accounts.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoClusters;

#[async_trait]
impl Clusters for NoClusters {
    fn api_server(&self) -> ApiServer {
        ApiServer::default()
    }

    async fn verify_token(&self, _: &str, _: &str) -> Result<PodSubject, TokenRefused> {
        Err(TokenRefused(
            "no cluster of the sandbox issued this token".to_owned(),
        ))
    }

    fn service_account(&self, _: &str, _: &str) -> Option<ServiceAccount> {
        None
    }

    async fn caller(&self, source: IpAddr, _: Option<&str>) -> Result<PodIdentity, NoCaller> {
        Err(NoCaller::Unknown(source))
    }
}
