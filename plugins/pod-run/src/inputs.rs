//! The step's inputs and outputs.

mod output;
mod security;
mod sidecar;

use std::collections::BTreeMap;

use sidestep::serde::{Deserialize, Deserializer};
use sidestep::serde_json::Value;
use sidestep::{ByteSize, Cluster, Code, Duration, HelperImage, ImageRef};
use sidestep_pod::{Amount, Cpu, Resources};

pub(crate) use output::{Output, Type};
pub(crate) use security::{Capabilities, SeccompProfile};
pub(crate) use sidecar::Sidecar;

/// The image to run, what to run in it, and the pod.
#[sidestep::data]
#[derive(Debug)]
pub(crate) struct Inputs {
    /// The image; pin it by digest in your pipelines.
    pub image: ImageRef,
    /// The program to run and its arguments. Without `command` and `script`, the image's own.
    #[serde(default)]
    pub command: Vec<String>,
    /// The arguments of the image's own program, or more of those of `command`.
    #[serde(default)]
    pub args: Vec<String>,
    /// A script, which the image's shell runs until its first command that fails. It takes no
    /// expressions: pass values by `env`.
    #[serde(default)]
    pub script: Option<Code>,
    /// The shell that runs the script.
    #[serde(default = "shell")]
    pub shell: String,
    /// The archive of a context for the command, `gs://BUCKET/OBJECT`: the output `uri` of
    /// context-upload. The pod fetches it with its own identity, by the helper image, before the
    /// command starts. Set `contextFolder` with it.
    #[serde(default)]
    pub context: Option<String>,
    /// The digest of the context's tree: the output `digest` of context-upload. If it is absent,
    /// the digest in the archive's name is checked.
    #[serde(default)]
    pub context_digest: Option<String>,
    /// The container's folder for the context's files, such as `/workspace`; the working folder,
    /// unless `workingDir` is set.
    #[serde(default)]
    pub context_folder: Option<String>,
    /// The largest size of the context's archive, and of its unpacked files.
    #[serde(default = "context_limit")]
    pub context_limit: ByteSize,
    /// The working folder; the image's own if absent.
    #[serde(default)]
    pub working_dir: Option<String>,
    /// Environment variables. Anyone who may read the pod can read them: pass no secrets.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Environment variables with secrets: `NAME: SECRET`, a name of the step's `secrets`.
    #[serde(default)]
    pub secret_env: BTreeMap<String, String>,
    /// Files with secrets in the folder `/run/secrets/sidestep`: `FILE: SECRET`, a name of the
    /// step's `secrets`.
    #[serde(default)]
    pub secret_files: BTreeMap<String, String>,
    /// The values that the command writes as one JSON object to the file that `$SIDESTEP_OUTPUTS`
    /// names, at most 4,096 bytes: `NAME: { type: string }`.
    #[serde(default)]
    pub outputs: BTreeMap<String, Output>,
    /// Containers that run beside the command: a database, a proxy. They are started before it in
    /// their order and ended after it (Kubernetes 1.29 or later).
    #[serde(default)]
    pub sidecars: Vec<Sidecar>,
    /// The cluster to run in.
    pub cluster: Cluster,
    /// The namespace to run in.
    pub namespace: String,
    /// The Kubernetes service account that the pod runs as.
    #[serde(default = "default_account")]
    pub service_account: String,
    /// The image of Sidestep itself, which fetches the context, and waits for the metadata server
    /// before anything else starts, if `nodeSelector` selects nodes that have one. The operator's
    /// setting `helperImage` if absent.
    #[serde(default)]
    pub helper_image: Option<HelperImage>,
    /// Whether the pod gets a token for the cluster's API server.
    #[serde(default)]
    pub kubernetes_token: bool,
    /// Secrets of the namespace with credentials for pulling the images.
    #[serde(default)]
    pub image_pull_secrets: Vec<String>,
    /// The user to run as, by number; the image's own if absent.
    #[serde(default)]
    pub user: Option<u32>,
    /// The group to run as, by number.
    #[serde(default)]
    pub group: Option<u32>,
    /// Linux capabilities to add to those of a container, or to drop. A grant and the operator's
    /// policy must name `capabilities` for one that containers do not have by default.
    #[serde(default)]
    pub capabilities: Option<Capabilities>,
    /// The seccomp profile. A grant and the operator's policy must name `seccompUnconfined` for
    /// `Unconfined`.
    #[serde(default)]
    pub seccomp_profile: SeccompProfile,
    /// CPU time of the command: a quantity (`2`, `500m`) for request and limit, or
    /// `{ request, limit }`. Required in a namespace whose quota covers CPU.
    #[serde(default)]
    pub cpu: Option<Amount<Cpu>>,
    /// Memory of the command: a size for request and limit, or `{ request, limit }`.
    #[serde(default)]
    pub memory: Option<Amount<ByteSize>>,
    /// Disk space of the command, in the same forms.
    #[serde(default)]
    pub ephemeral_storage: Option<Amount<ByteSize>>,
    /// Labels of the nodes to run on. On a Standard cluster of GKE, a pod that uses Workload
    /// Identity needs `iam.gke.io/gke-metadata-server-enabled: "true"`.
    #[serde(default)]
    pub node_selector: BTreeMap<String, String>,
    /// Taints of nodes that the pod tolerates, as in a pod.
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
    /// The queue of Kueue that starts the pod.
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

/// The inputs that are known before anything runs: an input that another step provides is absent,
/// and an input that is not set has its default.
#[derive(Debug, Default, Deserialize)]
#[serde(crate = "sidestep::serde", rename_all = "camelCase", default)]
pub(crate) struct Known {
    pub command: Vec<String>,
    pub args: Vec<String>,
    pub script: Option<Code>,
    #[serde(deserialize_with = "present")]
    pub context: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub context_digest: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub context_folder: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub helper_image: Option<Option<String>>,
    pub env: BTreeMap<String, Value>,
    pub secret_env: BTreeMap<String, Value>,
    pub secret_files: BTreeMap<String, Value>,
    pub outputs: BTreeMap<String, Value>,
    pub sidecars: Vec<Sidecar>,
    pub capabilities: Option<Capabilities>,
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
    /// Returns the command's amounts.
    pub(crate) fn resources(&self) -> Resources {
        Resources {
            cpu: self.cpu,
            memory: self.memory,
            ephemeral_storage: self.ephemeral_storage,
        }
    }
}

/// The values that the command wrote.
#[sidestep::data]
#[derive(Debug, PartialEq)]
pub(crate) struct Outputs {
    /// The values of `outputs`, by name; an optional one that was not written is null.
    pub values: BTreeMap<String, Value>,
}

fn shell() -> String {
    "/bin/sh".to_owned()
}

fn context_limit() -> ByteSize {
    ByteSize::new(10 << 30)
}

fn default_account() -> String {
    "default".to_owned()
}

fn pull_grace() -> Duration {
    Duration::from_secs(30)
}

fn pending_grace() -> Duration {
    Duration::from_secs(15 * 60)
}

#[cfg(test)]
pub(crate) fn example(more: &Value) -> Inputs {
    let mut inputs = sidestep::serde_json::json!({
        "image": "docker.io/library/busybox:1.37",
        "cluster": "projects/demo/locations/europe-west1/clusters/ci",
        "namespace": "builds",
    });
    for (key, value) in more.as_object().expect("an object") {
        inputs[key] = value.clone();
    }
    sidestep::serde_json::from_value(inputs).expect("inputs that fit")
}
