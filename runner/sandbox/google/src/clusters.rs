//! The interface between Google's APIs and a Kubernetes cluster.

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

/// A Kubernetes cluster, as far as Workload Identity needs it.
pub trait Clusters: Send + Sync + 'static {
    /// Checks a service-account token's signature, lifetime and audience, and that its account
    /// still exists with the uid that the token names.
    fn verify_token(&self, jwt: &str, audience: &str) -> Result<PodSubject, TokenRefused>;

    /// Returns an annotation of a service account: `None` if the account does not exist,
    /// `Some(None)` if it does not have the annotation.
    fn service_account_annotation(
        &self,
        namespace: &str,
        name: &str,
        key: &str,
    ) -> Option<Option<String>>;
}

/// No cluster: rejects every token and has no service accounts.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoClusters;

impl Clusters for NoClusters {
    fn verify_token(&self, _: &str, _: &str) -> Result<PodSubject, TokenRefused> {
        Err(TokenRefused(
            "no cluster of the sandbox issued this token".to_owned(),
        ))
    }

    fn service_account_annotation(&self, _: &str, _: &str, _: &str) -> Option<Option<String>> {
        None
    }
}
