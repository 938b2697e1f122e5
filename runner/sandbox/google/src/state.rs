//! The persistent state of Google's side, without identity.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// All state except identity, as the sandbox persists it (JSON).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct State {
    /// The enabled services of each project.
    pub services: BTreeMap<String, BTreeSet<String>>,
    /// GKE clusters with their node pools, as the API shows them, by
    /// `projects/P/locations/L/clusters/C`.
    pub clusters: BTreeMap<String, Value>,
    /// Finished operations by name.
    pub operations: BTreeMap<String, Value>,
    /// Artifact Registry repositories by `projects/P/locations/L/repositories/R`.
    pub repositories: BTreeMap<String, Value>,
    /// Secrets by `projects/P/secrets/S`.
    pub secrets: BTreeMap<String, Secret>,
    /// Workload identity pools and their providers, by name.
    pub pools: BTreeMap<String, Value>,
    /// User-managed service-account keys (the fields that the API lists), by
    /// `projects/P/serviceAccounts/E/keys/K`.
    pub keys: BTreeMap<String, Value>,
    /// Fixed answers of an API to every call, by the API's host name.
    pub refusals: BTreeMap<String, FixedAnswer>,
    /// The CI systems by name.
    pub ci: BTreeMap<String, Ci>,
    /// The signing key of the CI systems' id tokens; created on first use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ci_key: Option<SigningKey>,
    /// The signing key of Google's id tokens; created on first use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_key: Option<SigningKey>,
}

/// A fixed answer that replaces an API's own, such as that of a service perimeter or of an identity
/// provider's condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body, in the API's own shape.
    pub body: Value,
}

/// A CI system that issues id tokens, and the job that it issues them for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Ci {
    /// The issuer in its tokens.
    pub issuer: String,
    /// Whether Google can read the issuer's keys.
    pub reachable: bool,
    /// Whether the job gets an id token: GitHub's `permissions: id-token: write`, GitLab's
    /// `id_tokens`.
    pub id_token: bool,
    /// The lifetime of a token, in seconds.
    pub lifetime: i64,
    /// Whether GitHub's default subject contains the ids of owner and repository.
    pub immutable_subject: bool,
    /// The audience of a token that comes without a request; by default, that of the provider.
    pub audience: Option<String>,
    /// The claims about the job.
    pub claims: BTreeMap<String, Value>,
    /// The identity provider in the job's settings.
    pub provider: String,
    /// The service account in the job's settings.
    pub service_account: Option<String>,
}

impl Default for Ci {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            reachable: true,
            id_token: true,
            lifetime: 300,
            immutable_subject: false,
            audience: None,
            claims: BTreeMap::new(),
            provider: String::new(),
            service_account: None,
        }
    }
}

/// A private key, PEM.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SigningKey(pub(crate) String);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey")
    }
}

/// A secret and its versions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Secret {
    /// The creation time, RFC 3339.
    pub create_time: String,
    /// The secret's labels.
    pub labels: BTreeMap<String, String>,
    /// The secret's versions; the first is version 1.
    pub versions: Vec<SecretVersion>,
}

/// One version of a secret.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SecretVersion {
    /// The creation time, RFC 3339.
    pub create_time: String,
    /// `ENABLED`, `DISABLED` or `DESTROYED`.
    pub state: String,
    /// The payload, base64.
    pub data: String,
}

impl std::fmt::Debug for SecretVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretVersion")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
