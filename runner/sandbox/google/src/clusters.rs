//! What Google's side asks of a Kubernetes cluster.

/// The Kubernetes service account that a token was issued for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodSubject {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub service_account: String,
    /// Its uid.
    pub uid: String,
}

/// Why a cluster does not stand by a token; the text is shown to whoever sent it and must not
/// hold any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TokenRefused(pub String);

/// A Kubernetes cluster, as far as Workload Identity needs it.
pub trait Clusters: Send + Sync + 'static {
    /// Checks a service-account token's signature, life and audience, and that its account still
    /// exists with the uid that it names.
    fn verify_token(&self, jwt: &str, audience: &str) -> Result<PodSubject, TokenRefused>;

    /// An annotation of a service account: `None` where the account does not exist, `Some(None)`
    /// where it has no such annotation.
    fn service_account_annotation(
        &self,
        namespace: &str,
        name: &str,
        key: &str,
    ) -> Option<Option<String>>;
}

/// No cluster: every token is refused and no service account exists.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoClusters;

impl Clusters for NoClusters {
    fn verify_token(&self, _: &str, _: &str) -> Result<PodSubject, TokenRefused> {
        Err(TokenRefused("no cluster stands by this token".to_owned()))
    }

    fn service_account_annotation(&self, _: &str, _: &str, _: &str) -> Option<Option<String>> {
        None
    }
}
