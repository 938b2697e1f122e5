//! The step's inputs and outputs.

mod kaniko;

use std::collections::BTreeMap;

use sidestep::serde::{Deserialize, Deserializer};
use sidestep::serde_json::Value;
use sidestep::{ByteSize, Cluster, Duration, HelperImage, ImageRef};
use sidestep_pod::{Amount, Cpu, SERVED};

pub(crate) use kaniko::{Kaniko, Layers};

/// The executor that is used unless the step names another; pin it by digest in your pipelines.
const EXECUTOR: &str = "ghcr.io/osscontainertools/kaniko:v1.28.3";

/// The image to build, the cluster that builds it, and the build's identity.
#[sidestep::data]
#[derive(Debug)]
pub(crate) struct Inputs {
    /// The context: `gs://BUCKET/OBJECT`, as context-upload returns it.
    pub context: String,
    /// The context's folder in the workspace; its Dockerfile is checked before the build.
    #[serde(default = "here")]
    pub path: String,
    /// The Dockerfile, relative to the context.
    #[serde(default = "dockerfile")]
    pub dockerfile: String,
    /// The images to push, `HOST/REPOSITORY:TAG`.
    #[schemars(length(min = 1))]
    pub destinations: Vec<ImageRef>,
    /// The cluster to build in.
    pub cluster: Cluster,
    /// The namespace to build in.
    pub namespace: String,
    /// The Kubernetes service account that the build runs as.
    pub service_account: String,
    /// A Google service account's key in a Secret of the namespace, which the build uses instead of
    /// its workload identity. The step warns about it: anyone who has the key can use it.
    #[serde(default)]
    pub google_key: Option<GoogleKey>,
    /// A Secret of the namespace, of type `kubernetes.io/dockerconfigjson`, with credentials for
    /// registries that are not Google's: for private base images, and to push there. The runner
    /// reads it too, to check the digest of the pushed image.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub registry_secret: Option<String>,
    /// Credentials for the runner's own check of a pushed image, from a secret of the step. They
    /// come before those of `registrySecret`, and the build does not get them.
    #[serde(default)]
    pub registry_login: Option<RegistryLogin>,
    /// The build stage to stop at; the last one if absent.
    #[serde(default)]
    pub target: Option<String>,
    /// Values for the Dockerfile's ARGs. They are visible in the image's history: pass no secrets.
    #[serde(default)]
    pub build_args: BTreeMap<String, String>,
    /// A file of the workspace with more values, one `NAME=VALUE` a line; blank lines and those that
    /// begin with `#` do not count. `buildArgs` come before it.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub build_args_file: Option<String>,
    /// Secrets of the step for `RUN --mount=type=secret,id=ID`: by ID, their names in the step's
    /// `secrets`. Every RUN of the build can read all of them, also without the mount; no layer has
    /// them unless a RUN writes them to it.
    #[serde(default)]
    pub build_secrets: BTreeMap<String, String>,
    /// Labels of the image.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The platform to build for, `OS/ARCHITECTURE`; the node's platform if absent.
    #[serde(default)]
    pub platform: Option<String>,
    /// The repository for cached layers; layers are not cached if absent.
    #[serde(default)]
    pub cache_repo: Option<ImageRef>,
    /// How long a cached layer is used; 14 days if absent.
    #[serde(default)]
    pub cache_ttl: Option<Duration>,
    /// Whether the layers of COPY are cached too.
    #[serde(default)]
    pub cache_copy_layers: bool,
    /// Whether the layers of RUN are cached; true if absent.
    #[serde(default)]
    pub cache_run_layers: Option<bool>,
    /// kaniko's own options.
    #[serde(default)]
    pub kaniko: Kaniko,
    /// The kaniko image.
    #[serde(default = "executor")]
    pub executor: ImageRef,
    /// The image of Sidestep itself, which waits for the metadata server before kaniko starts. The
    /// operator's setting `helperImage` if absent.
    #[serde(default)]
    pub helper_image: Option<HelperImage>,
    /// CPU time of the build: a quantity (`2`, `500m`) for request and limit, or
    /// `{ request, limit }`. Required in a namespace whose quota covers CPU.
    #[serde(default)]
    pub cpu: Option<Amount<Cpu>>,
    /// Memory of the build: a size for request and limit, or `{ request, limit }`.
    #[serde(default)]
    pub memory: Option<Amount<ByteSize>>,
    /// Disk space of the build, in the same forms. It holds the archive and the extracted files at
    /// the same time, and the image's layers.
    #[serde(default)]
    pub ephemeral_storage: Option<Amount<ByteSize>>,
    /// Labels of the nodes to build on. The default is what Workload Identity needs on Standard
    /// clusters; on Autopilot, set `{}`. Without that label, the step checks the cluster's node
    /// pools and warns if the build would run as its node's account.
    #[serde(default = "metadata_server")]
    pub node_selector: BTreeMap<String, String>,
    /// Taints of nodes that the build tolerates, as in a pod.
    #[serde(default)]
    pub tolerations: Vec<Value>,
    /// The pod's affinity, as in a pod.
    #[serde(default)]
    pub affinity: Option<BTreeMap<String, Value>>,
    /// The pod's priority class. A grant and the operator's policy must name `priorityClassName`.
    #[serde(default)]
    pub priority_class: Option<String>,
    /// The pod's runtime class. A grant and the operator's policy must name `runtimeClassName`.
    #[serde(default)]
    pub runtime_class: Option<String>,
    /// The queue of Kueue that starts the build.
    #[serde(default)]
    pub queue: Option<String>,
    /// More labels of the pod.
    #[serde(default)]
    pub pod_labels: BTreeMap<String, String>,
    /// Annotations of the pod.
    #[serde(default)]
    pub pod_annotations: BTreeMap<String, String>,
    /// How long to wait while an image can't be pulled.
    #[serde(default = "pull_grace")]
    pub pull_grace: Duration,
    /// How long to wait until the pod is scheduled to a node.
    #[serde(default = "pending_grace")]
    pub pending_grace: Duration,
}

/// The Secret that holds a service account's key.
#[sidestep::data]
#[derive(Debug, Clone)]
pub(crate) struct GoogleKey {
    /// The Secret's name.
    #[schemars(length(min = 1))]
    pub secret: String,
    /// The entry of the Secret that holds the key file.
    #[serde(default = "key_file")]
    #[schemars(length(min = 1))]
    pub key: String,
}

/// A user's name and password at a registry.
#[sidestep::data]
#[derive(Debug)]
pub(crate) struct RegistryLogin {
    /// The registry's host, as in the names of its images: `ghcr.io`.
    #[schemars(length(min = 1))]
    pub registry: String,
    /// The user's name.
    #[schemars(length(min = 1))]
    pub user: String,
    /// The step's secret that holds the password or token: its name in the step's `secrets`.
    #[schemars(length(min = 1))]
    pub secret: String,
}

/// The inputs that are known before anything runs: an input that another step provides is absent,
/// and an input that is not set has its default.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(crate = "sidestep::serde", rename_all = "camelCase", default)]
pub(crate) struct Known {
    pub context: Option<String>,
    pub path: Option<String>,
    pub dockerfile: Option<String>,
    #[serde(deserialize_with = "present")]
    pub target: Option<Option<String>>,
    pub build_args: Option<BTreeMap<String, String>>,
    #[serde(deserialize_with = "present")]
    pub build_args_file: Option<Option<String>>,
    pub build_secrets: Option<BTreeMap<String, String>>,
    #[serde(deserialize_with = "present")]
    pub platform: Option<Option<String>>,
    pub executor: Option<String>,
    pub destinations: Option<Vec<ImageRef>>,
    #[serde(deserialize_with = "present")]
    pub cache_repo: Option<Option<ImageRef>>,
    #[serde(deserialize_with = "present")]
    pub cache_ttl: Option<Option<Duration>>,
    pub cache_copy_layers: Option<bool>,
    #[serde(deserialize_with = "present")]
    pub cache_run_layers: Option<Option<bool>>,
    pub kaniko: Option<Kaniko>,
    pub namespace: Option<String>,
    pub google_key: Option<GoogleKey>,
    pub cpu: Option<Amount<Cpu>>,
    pub memory: Option<Amount<ByteSize>>,
    pub ephemeral_storage: Option<Amount<ByteSize>>,
}

/// Distinguishes a value that is present, even `null`, from an absent one.
fn present<'de, D, T>(deserializer: D) -> std::result::Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

impl Inputs {
    /// Returns whether the step reads the cluster through GKE: only if the build could have another
    /// identity than its workload's. It is the condition of the request for `gke`.
    pub(crate) fn looks_at_cluster(&self) -> bool {
        self.cluster.project().is_some()
            && (self.google_key.is_some() || !self.work().only_served_nodes())
    }

    /// Returns the cache of layers, if the build uses one.
    pub(crate) fn layers(&self) -> Option<Layers<'_>> {
        Some(Layers {
            repository: self.cache_repo.as_ref()?,
            time_to_live: self.cache_ttl.map(Duration::get),
            copy: self.cache_copy_layers,
            run: self.cache_run_layers,
        })
    }

    /// `NAMESPACE/ACCOUNT`, as people name a Kubernetes service account.
    pub(crate) fn workload(&self) -> String {
        format!("{}/{}", self.namespace, self.service_account)
    }
}

/// The pushed image.
#[sidestep::data]
#[derive(Debug, PartialEq)]
pub(crate) struct Outputs {
    /// The first destination, by digest: `HOST/REPOSITORY@sha256:…`.
    pub image: String,
    /// The image's digest.
    pub digest: String,
    /// Every destination, by digest.
    pub images: Vec<String>,
    /// Whether the runner found the image with this digest at every destination. If it could not
    /// look, a warning says why.
    pub checked: bool,
    /// The size of the image in its registry: its compressed layers and its configuration, in bytes.
    pub size: Option<u64>,
    /// The number of the image's layers.
    pub layers: Option<u64>,
    /// The time of each phase of the build, as far as it is known.
    pub times: Times,
}

/// The time of each phase of a build, in seconds. The cluster and kaniko write whole seconds.
#[sidestep::data]
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Times {
    /// From the creation of the pod until it had a node.
    pub scheduled: Option<u64>,
    /// Until the node had pulled the executor image and started kaniko.
    pub pulled: Option<u64>,
    /// Until kaniko had fetched and unpacked the context.
    pub context_fetched: Option<u64>,
    /// Until the image was built.
    pub built: Option<u64>,
    /// Until it was pushed to all destinations.
    pub pushed: Option<u64>,
}

fn here() -> String {
    ".".to_owned()
}

fn dockerfile() -> String {
    "Dockerfile".to_owned()
}

fn executor() -> ImageRef {
    EXECUTOR.parse().expect("a constant that a test reads")
}

fn key_file() -> String {
    "key.json".to_owned()
}

fn metadata_server() -> BTreeMap<String, String> {
    BTreeMap::from([(SERVED.to_owned(), "true".to_owned())])
}

fn pull_grace() -> Duration {
    Duration::from_secs(30)
}

fn pending_grace() -> Duration {
    Duration::from_secs(15 * 60)
}

#[cfg(test)]
pub(crate) fn example(more: &sidestep::serde_json::Value) -> Inputs {
    let mut inputs = sidestep::serde_json::json!({
        "context": "gs://contexts/team/a.tar.gz",
        "destinations": ["europe-docker.pkg.dev/demo/images/hello:latest"],
        "cluster": "projects/demo/locations/europe-west1/clusters/ci",
        "namespace": "builds",
        "serviceAccount": "kaniko",
    });
    for (key, value) in more.as_object().expect("an object") {
        inputs[key] = value.clone();
    }
    sidestep::serde_json::from_value(inputs).expect("inputs that fit")
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;

    #[test]
    fn defaults_are_readable() {
        let inputs = example(&json!({}));
        assert_eq!(inputs.executor.as_str(), EXECUTOR);
        assert!(inputs.work().only_served_nodes() && !inputs.looks_at_cluster());
        let keyed = example(&json!({ "googleKey": { "secret": "builder-key" } }));
        assert_eq!(keyed.google_key.as_ref().expect("a key").key, "key.json");
        assert!(keyed.looks_at_cluster());
    }

    #[test]
    fn a_mapped_cluster_is_not_looked_at() {
        let anywhere = json!({ "nodeSelector": {} });
        assert!(example(&anywhere).looks_at_cluster());
        let mapped = json!({ "nodeSelector": {}, "cluster": "staging" });
        assert!(!example(&mapped).looks_at_cluster());
    }
}
