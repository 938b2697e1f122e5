//! The step's inputs.

use sidestep::{Bucket, Cluster, Duration, ImageRef};

/// The workload whose identity to check, and the resources that it needs access to.
#[sidestep::data]
#[derive(Debug, Clone)]
pub(crate) struct Inputs {
    /// The cluster, as `projects/P/locations/L/clusters/C`.
    pub cluster: Cluster,
    /// The namespace of the Kubernetes service account.
    pub namespace: String,
    /// The Kubernetes service account that pods run as.
    pub service_account: String,
    /// The Google service account that it acts as; taken from the annotation if absent.
    #[serde(default)]
    pub google_service_account: Option<String>,
    /// The way to its permissions: through a Google service account, or as itself.
    #[serde(default)]
    pub form: Form,
    /// A bucket whose objects it needs to read; a short form of a target.
    #[serde(default)]
    pub bucket: Option<Bucket>,
    /// The prefix of the names of those objects; every object of the bucket if empty.
    #[serde(default)]
    pub prefix: String,
    /// An image that it needs to push and pull; a short form of a target.
    #[serde(default)]
    pub image: Option<ImageRef>,
    /// The resources that it needs access to.
    #[serde(default)]
    pub targets: Vec<Goal>,
    /// The node selector of its pods; by default it selects nodes that serve workload identities.
    #[serde(default = "metadata_server")]
    pub node_selector: std::collections::BTreeMap<String, String>,
    /// A job of a CI system, to check how it signs in, in place of the runner's own credentials.
    #[serde(default)]
    pub caller: Option<Job>,
    /// How long to wait for an IAM change that is already made to take effect.
    #[serde(default = "propagation")]
    pub wait: Duration,
}

/// The two forms of Workload Identity.
#[sidestep::data]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Form {
    /// Derived from the service account's annotation and the policies.
    #[default]
    Auto,
    /// The roles are granted to the Kubernetes service account itself.
    Direct,
    /// The Kubernetes service account acts as a Google service account.
    Impersonation,
}

/// A job of a CI system that exchanges its id token.
#[sidestep::data]
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// The workload identity provider, as
    /// `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`.
    pub provider: String,
    /// The service account that the job acts as; absent if it has its own roles.
    #[serde(default)]
    pub service_account: Option<String>,
    /// The claims of the job's id token. Never the token itself.
    pub claims: sidestep::serde_json::Map<String, sidestep::serde_json::Value>,
}

/// One resource to access: exactly one of `bucket`, `image`, `repository`, `secret` and `project`.
#[sidestep::data]
#[derive(Debug, Clone, Default)]
pub(crate) struct Goal {
    /// A bucket; by default, its objects must be readable.
    #[serde(default)]
    pub bucket: Option<Bucket>,
    /// The prefix of the names of the bucket's objects; every object if empty. Printed grants cover
    /// only these objects.
    #[serde(default)]
    pub prefix: String,
    /// An object of the bucket, which is read as the workload if the bucket as a whole does not grant
    /// that: conditions and managed folders grant access to single objects.
    #[serde(default)]
    pub object: Option<String>,
    /// An image in Artifact Registry; by default, its repository must allow push and pull.
    #[serde(default)]
    pub image: Option<ImageRef>,
    /// A repository, as `projects/P/locations/L/repositories/R` or `HOST/P/R`.
    #[serde(default)]
    pub repository: Option<String>,
    /// A secret, as `projects/P/secrets/S`; by default, its versions must be readable.
    #[serde(default)]
    pub secret: Option<String>,
    /// A project's id; `permissions` is required with it.
    #[serde(default)]
    pub project: Option<String>,
    /// The permissions to check; those that a build needs if absent.
    #[serde(default)]
    pub permissions: Vec<String>,
}

/// The label of nodes that run GKE's metadata server.
pub(crate) const METADATA_LABEL: &str = "iam.gke.io/gke-metadata-server-enabled";

fn metadata_server() -> std::collections::BTreeMap<String, String> {
    [(METADATA_LABEL.to_owned(), "true".to_owned())].into()
}

fn propagation() -> Duration {
    Duration::from_secs(120)
}

#[cfg(test)]
pub(crate) fn example(more: &sidestep::serde_json::Value) -> Inputs {
    let mut inputs = sidestep::serde_json::json!({
        "cluster": "projects/demo/locations/europe-west1/clusters/ci",
        "namespace": "builds",
        "serviceAccount": "kaniko",
    });
    for (key, value) in more.as_object().expect("an object") {
        inputs[key] = value.clone();
    }
    sidestep::serde_json::from_value(inputs).expect("inputs that fit")
}
