//! The faults of pods. All of them are data, so that a scenario is a file.

use serde::{Deserialize, Serialize};

/// Faults for every pod of the cluster; the default is a healthy cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Faults {
    /// Images cannot be pulled.
    pub image_pull: Option<ImagePull>,
    /// Containers run out of memory.
    pub out_of_memory: Option<OutOfMemory>,
    /// The pod is ended before its containers end.
    pub disruption: Option<Disruption>,
    /// No node accepts the pod.
    pub unschedulable: Option<Unschedulable>,
    /// The creation of containers is slow.
    pub slow_start: Option<SlowStart>,
    /// Containers start and do nothing.
    pub hang: Option<Hang>,
    /// The output of containers, written before they begin and in place of their own output.
    pub writes: Vec<Written>,
    /// The node deletes a container's log when the container has ended.
    pub log_lost: bool,
    /// The HTTP status that the node's metadata server returns in place of tokens. The runtime
    /// implements it.
    pub metadata_status: Option<u16>,
    /// The number of containers for which it does so, the first ones; absent means all.
    pub metadata_fail_times: Option<usize>,
    /// A container is injected into every pod, before its own.
    pub sidecar: Option<Sidecar>,
}

/// Images cannot be pulled.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ImagePull {
    /// The number of pulls that fail before one succeeds; absent means that all fail.
    pub fail_times: Option<u32>,
    /// The registry's error message.
    pub message: Option<String>,
}

/// Containers run out of memory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OutOfMemory {
    /// The time for which the container has run by then, in milliseconds.
    pub after_millis: u64,
    /// Limits the fault to containers whose memory limit is below this quantity; absent means all.
    pub below: Option<String>,
}

/// The pod is ended before its containers end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Disruption {
    /// The component that ends the pod.
    pub by: By,
    /// The time for which the first container has run by then, in milliseconds.
    pub after_millis: u64,
}

/// The component that ends a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The kubelet, because its node runs low on a resource.
    Kubelet,
    /// The eviction API, as called by `kubectl drain`.
    Drain,
    /// The scheduler, for a pod of a higher priority.
    Preemption,
    /// The taint manager, because the node does not report any more.
    Taint,
    /// The garbage collector, because the node does not exist any more.
    GarbageCollection,
    /// The kubelet, because its node shuts down.
    Shutdown,
    /// A user, with `kubectl delete pod`.
    Deletion,
}

/// A container that is injected into every pod, as by service meshes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sidecar {
    /// The container's name.
    pub name: String,
    /// Whether it is an init container.
    #[serde(default)]
    pub init: bool,
    /// The exit code, with which it ends at once; absent means that it runs until it is stopped.
    #[serde(default)]
    pub exit_code: Option<i32>,
}

/// No node accepts the pod.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Unschedulable {
    /// The scheduler's message about the nodes, such as `1 Insufficient memory`.
    pub reason: Option<String>,
    /// The time until a node accepts the pod, in milliseconds; absent means never.
    pub for_millis: Option<u64>,
}

/// The creation of containers is slow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SlowStart {
    /// The delay, in milliseconds.
    pub millis: u64,
}

/// Containers start and do nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Hang {
    /// Whether the containers ignore SIGTERM and only end when they are killed.
    pub ignores_term: bool,
}

/// Bytes that a container writes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Written {
    /// The bytes, in base64.
    pub base64: String,
    /// The number of times that they are written.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_names_only_what_breaks() {
        let faults: Faults =
            serde_json::from_str(r#"{ "imagePull": { "failTimes": 2 }, "hang": {} }"#)
                .expect("data");
        assert_eq!(faults.image_pull.and_then(|p| p.fail_times), Some(2));
        assert!(faults.hang.is_some() && faults.disruption.is_none());
        assert!(serde_json::from_str::<Faults>(r#"{ "oom": {} }"#).is_err());
    }
}
