//! What the step takes.

use sidestep::{Bucket, Cluster, Duration, ImageRef};

/// Whose identity to look at, and what it should be able to do.
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
    /// How it gets its rights: through a Google service account, or as itself.
    #[serde(default)]
    pub form: Form,
    /// A bucket whose objects it has to read; short for a target.
    #[serde(default)]
    pub bucket: Option<Bucket>,
    /// How the names of those objects begin; every object of the bucket if empty.
    #[serde(default)]
    pub prefix: String,
    /// An image that it has to push and pull; short for a target.
    #[serde(default)]
    pub image: Option<ImageRef>,
    /// What it has to reach.
    #[serde(default)]
    pub targets: Vec<Goal>,
    /// Labels of the nodes that its pods ask for; by default those that serve such identities.
    #[serde(default = "metadata_server")]
    pub node_selector: std::collections::BTreeMap<String, String>,
    /// How long a change of IAM that is there already may take to be seen.
    #[serde(default = "propagation")]
    pub wait: Duration,
}

/// The two forms of Workload Identity.
#[sidestep::data]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Form {
    /// What the service account's annotation and the policies suggest.
    #[default]
    Auto,
    /// The roles are granted to the Kubernetes service account itself.
    Direct,
    /// The Kubernetes service account acts as a Google service account.
    Impersonation,
}

/// One thing to reach: exactly one of `bucket`, `image`, `repository`, `secret` and `project`.
#[sidestep::data]
#[derive(Debug, Clone, Default)]
pub(crate) struct Goal {
    /// A bucket; its objects are to be read unless `permissions` says more.
    #[serde(default)]
    pub bucket: Option<Bucket>,
    /// How the names of the bucket's objects begin; every object if empty. Grants are printed for
    /// these objects alone.
    #[serde(default)]
    pub prefix: String,
    /// An image in Artifact Registry; its repository is to be pushed to and pulled from.
    #[serde(default)]
    pub image: Option<ImageRef>,
    /// A repository, as `projects/P/locations/L/repositories/R` or `HOST/P/R`.
    #[serde(default)]
    pub repository: Option<String>,
    /// A secret, as `projects/P/secrets/S`; its versions are to be read.
    #[serde(default)]
    pub secret: Option<String>,
    /// A project's id; `permissions` says what for.
    #[serde(default)]
    pub project: Option<String>,
    /// The permissions; what a build needs if absent.
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
