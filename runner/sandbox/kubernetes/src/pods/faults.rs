//! What pods can be made to meet. All of it is data, so that a scenario is a file.

use serde::{Deserialize, Serialize};

/// Faults for every pod of the cluster; the default is a healthy one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Faults {
    /// Images cannot be pulled.
    pub image_pull: Option<ImagePull>,
    /// Containers run out of memory.
    pub out_of_memory: Option<OutOfMemory>,
    /// Somebody ends the pod before its containers end.
    pub disruption: Option<Disruption>,
    /// No node takes the pod.
    pub unschedulable: Option<Unschedulable>,
    /// Containers take their time to be created.
    pub slow_start: Option<SlowStart>,
    /// Containers start and do nothing.
    pub hang: Option<Hang>,
    /// What containers write instead of their own output, before they begin.
    pub writes: Vec<Written>,
    /// The node throws a container's log away when the container has ended.
    pub log_lost: bool,
    /// The HTTP status that the node's metadata server gives in place of tokens. The runtime heeds it.
    pub metadata_status: Option<u16>,
    /// A container is injected into every pod, before its own.
    pub sidecar: Option<Sidecar>,
}

/// Images cannot be pulled.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ImagePull {
    /// How often a pull fails before it succeeds; absent: always.
    pub fail_times: Option<u32>,
    /// What the registry says.
    pub message: Option<String>,
}

/// Containers run out of memory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OutOfMemory {
    /// How long the container has run by then, in milliseconds.
    pub after_millis: u64,
    /// Only containers whose memory limit is below this quantity; absent: all.
    pub below: Option<String>,
}

/// Somebody ends the pod before its containers end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Disruption {
    /// Who.
    pub by: By,
    /// How long its first container has run by then, in milliseconds.
    pub after_millis: u64,
}

/// Who ends a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The kubelet, whose node runs low on a resource.
    Kubelet,
    /// The eviction API, as `kubectl drain` calls it.
    Drain,
    /// The scheduler, for a pod of a higher priority.
    Preemption,
    /// The taint manager, because the node is not heard of any more.
    Taint,
    /// The garbage collector, because the node does not exist any more.
    GarbageCollection,
    /// The kubelet, whose node shuts down.
    Shutdown,
    /// Somebody with `kubectl delete pod`.
    Deletion,
}

/// A container that is injected into every pod, as service meshes do it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sidecar {
    /// The container's name.
    pub name: String,
    /// Whether it is an init container.
    #[serde(default)]
    pub init: bool,
    /// What it ends with at once; absent: it goes on until it is told to end.
    #[serde(default)]
    pub exit_code: Option<i32>,
}

/// No node takes the pod.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Unschedulable {
    /// What the scheduler says of the nodes, such as `1 Insufficient memory`.
    pub reason: Option<String>,
    /// When room is found, in milliseconds; absent: never.
    pub for_millis: Option<u64>,
}

/// Containers take their time to be created.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SlowStart {
    /// In milliseconds.
    pub millis: u64,
}

/// Containers start and do nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Hang {
    /// Whether they only end when they are killed.
    pub ignores_term: bool,
}

/// Bytes that a container writes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Written {
    /// The bytes, in base64.
    pub base64: String,
    /// How often they are written.
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
