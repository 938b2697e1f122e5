//! The step's inputs.

use sidestep::{Bucket, Cluster, Duration, ImageRef};

/// The wanted identity of a workload, and the resources that it gets access to.
#[sidestep::data]
#[derive(Debug, Clone)]
pub(crate) struct Inputs {
    /// The cluster, as `projects/P/locations/L/clusters/C`.
    pub cluster: Cluster,
    /// The namespace of the Kubernetes service account. It must exist.
    pub namespace: String,
    /// The Kubernetes service account that pods run as; created if it does not exist.
    pub service_account: String,
    /// The address of the Google service account that it acts as; created if it does not exist.
    /// Without one, the roles are granted to the Kubernetes service account itself.
    #[serde(default)]
    pub google_service_account: Option<String>,
    /// A bucket whose objects it reads; a short form of a target.
    #[serde(default)]
    pub bucket: Option<Bucket>,
    /// The prefix of the names of those objects; every object of the bucket if empty.
    #[serde(default)]
    pub prefix: String,
    /// An image that it pushes and pulls; a short form of a target.
    #[serde(default)]
    pub image: Option<ImageRef>,
    /// The resources that it gets access to.
    #[serde(default)]
    pub targets: Vec<Goal>,
    /// Makes the changes. Without it, they are only shown.
    #[serde(default)]
    pub apply: bool,
    /// Takes back what an earlier run of this plugin made, as far as these inputs name it. With
    /// `apply`, it is done; without it, only shown.
    #[serde(default)]
    pub remove: bool,
    /// The form in which the plan is printed, for people who don't let a tool make changes.
    #[serde(default)]
    pub format: Format,
    /// How long to wait until Google accepts a new service account as a member, and how long to
    /// retry a policy that other clients change at the same time.
    #[serde(default = "patience")]
    pub wait: Duration,
}

/// One resource to access: exactly one of `bucket`, `image`, `repository` and `secret`.
#[sidestep::data]
#[derive(Debug, Clone, Default)]
pub(crate) struct Goal {
    /// A bucket; by default, its objects become readable.
    #[serde(default)]
    pub bucket: Option<Bucket>,
    /// The prefix of the names of the bucket's objects; every object if empty. The grant covers only
    /// these objects.
    #[serde(default)]
    pub prefix: String,
    /// An image in Artifact Registry; by default, its repository allows push and pull.
    #[serde(default)]
    pub image: Option<ImageRef>,
    /// A repository, as `projects/P/locations/L/repositories/R` or `HOST/P/R`.
    #[serde(default)]
    pub repository: Option<String>,
    /// A secret, as `projects/P/secrets/S`; by default, its versions become readable.
    #[serde(default)]
    pub secret: Option<String>,
    /// The role to grant; the narrowest role that a build needs if absent.
    #[serde(default)]
    pub role: Option<String>,
}

/// The form in which a plan is printed.
#[sidestep::data]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Format {
    /// The differences between the present and the wanted state.
    #[default]
    Diff,
    /// Commands for gcloud and kubectl that make the changes.
    Gcloud,
    /// Resources of Terraform's providers `google` and `kubernetes` for the wanted state, with
    /// `import` blocks for what exists.
    Terraform,
    /// Objects of Config Connector for the wanted state.
    ConfigConnector,
}

fn patience() -> Duration {
    Duration::from_secs(120)
}

#[cfg(test)]
pub(crate) fn example(more: &sidestep::serde_json::Value) -> Inputs {
    let mut inputs = sidestep::serde_json::json!({
        "cluster": "projects/demo/locations/europe-west1/clusters/ci",
        "namespace": "builds",
        "serviceAccount": "app",
    });
    for (key, value) in more.as_object().expect("an object") {
        inputs[key] = value.clone();
    }
    sidestep::serde_json::from_value(inputs).expect("inputs that fit")
}
