//! The evidence in a followed pod's states, events and log lines.

use std::sync::LazyLock;

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Event, Pod, PodStatus};
use regex::Regex;
use sidestep_events::Evidence;

/// The reasons for which the cluster ends a pod (`status.reason`: the kubelet's eviction,
/// admission and shutdown managers, the node lifecycle controller and the scheduler).
const ENDED_BY_CLUSTER: &[&str] = &[
    "Evicted",
    "NodeAffinity",
    "NodeLost",
    "NodeShutdown",
    "Preempting",
    "Shutdown",
    "Terminated",
];

/// The reasons why a container cannot start (`state.waiting.reason`: the kubelet's `images` and
/// `container` packages); other reasons for waiting are not failures.
const NOT_STARTED: &[&str] = &[
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImageInspectError",
    "ImagePullBackOff",
    "InvalidImageName",
    "RegistryUnavailable",
    "RunContainerError",
];

/// The kubelet's events of a pod that it cannot start; some of them have no equivalent in the pod's
/// state.
const NOT_STARTED_EVENTS: &[&str] = &[
    "Failed",
    "FailedAttachVolume",
    "FailedCreatePodSandBox",
    "FailedMount",
];

/// The messages of programs when something that they need is unavailable for a moment: Google's
/// clients before the metadata server answers or when it fails, Artifact Registry's answer to a
/// push without an identity, Go's and libc's network errors, and the HTTP statuses for "later" in
/// the words of Go's clients of Google and of registries.
static TRANSIENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        "could not find default credentials|Anonymous caller does not have",
        "|Unauthenticated requests? do(?:es)? not have permission",
        "|connection re(?:fused|set by peer)",
        "|broken pipe|i/o timeout|TLS handshake timeout|context deadline exceeded",
        "|client connection lost|stream error: |: (?:unexpected )?EOF$",
        "|lookup \\S+(?: on \\S+)?: no such host|server misbehaving",
        "|[Tt]emporary failure in name resolution",
        "|429 Too Many Requests|TOOMANYREQUESTS",
        "|: UNAVAILABLE: ",
        "|compute: Received 5\\d\\d |HTTP response code (?:429|5\\d\\d) |unexpected status code (?:429|5\\d\\d) ",
        "|502 Bad Gateway|503 Service Unavailable|504 Gateway Time-?out",
    ))
    .ok()
});

/// Returns the evidence in a pod's state.
pub(super) fn of_pod(pod: &Pod) -> Vec<Evidence> {
    let Some(status) = &pod.status else {
        return Vec::new();
    };
    let reason = status.reason.as_deref().unwrap_or_default();
    let is_over = status.phase.as_deref() == Some("Failed");
    let disrupted = status
        .conditions
        .iter()
        .flatten()
        .any(|condition| condition.type_ == "DisruptionTarget" && condition.status == "True");
    let is_lost = (is_over && ENDED_BY_CLUSTER.contains(&reason)) || disrupted;
    let mut shown = Vec::new();
    if is_over || states(status).any(failed) {
        shown.push(Evidence::PodFailed);
    }
    if is_lost {
        shown.push(Evidence::PodLost);
    }
    if is_over && reason == "DeadlineExceeded" {
        shown.push(Evidence::TimedOut);
    }
    shown
}

/// Returns whether the event reports that the pod cannot be started.
pub(super) fn is_failed_start(event: &Event) -> bool {
    event.type_.as_deref() == Some("Warning")
        && NOT_STARTED_EVENTS.contains(&event.reason.as_deref().unwrap_or_default())
}

/// Returns whether a log line reports something that is unavailable for a moment.
pub(super) fn is_transient(line: &str) -> bool {
    TRANSIENT
        .as_ref()
        .is_some_and(|transient| transient.is_match(line))
}

/// Returns the containers of a pod, those that initialise it first.
pub(super) fn containers(status: &PodStatus) -> impl Iterator<Item = &ContainerStatus> {
    let containers = status
        .init_container_statuses
        .iter()
        .chain(&status.container_statuses);
    containers.flatten()
}

fn states(status: &PodStatus) -> impl Iterator<Item = &ContainerState> {
    containers(status).flat_map(|container| container.state.iter().chain(&container.last_state))
}

fn failed(state: &ContainerState) -> bool {
    let ended = state.terminated.as_ref();
    let waits = state
        .waiting
        .as_ref()
        .and_then(|wait| wait.reason.as_deref());
    ended.is_some_and(|end| end.exit_code != 0)
        || waits.is_some_and(|reason| NOT_STARTED.contains(&reason))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn shown(status: Value) -> Vec<Evidence> {
        let pod = json!({ "metadata": { "name": "p" }, "status": status });
        of_pod(&serde_json::from_value(pod).expect("a pod"))
    }

    #[test]
    fn a_pod_that_is_well_shows_nothing() {
        for status in [
            json!({ "phase": "Running" }),
            json!({ "phase": "Succeeded", "containerStatuses": [ended(0)] }),
            json!({ "phase": "Pending", "containerStatuses": [waits("ContainerCreating")] }),
            json!({ "phase": "Running", "reason": "Evicted" }),
        ] {
            assert_eq!(shown(status.clone()), [], "{status}");
        }
    }

    #[test]
    fn a_failed_pod_and_one_that_the_cluster_ended_are_told_apart() {
        for (status, expected) in [
            (
                json!({ "phase": "Failed", "containerStatuses": [ended(1)] }),
                vec![Evidence::PodFailed],
            ),
            (
                json!({ "phase": "Running", "initContainerStatuses": [ended(2)] }),
                vec![Evidence::PodFailed],
            ),
            (
                json!({ "phase": "Pending", "containerStatuses": [waits("ErrImagePull")] }),
                vec![Evidence::PodFailed],
            ),
            (
                json!({ "phase": "Failed", "reason": "NodeLost" }),
                vec![Evidence::PodFailed, Evidence::PodLost],
            ),
            (
                json!({ "phase": "Running", "conditions": [{ "type": "DisruptionTarget", "status": "True" }] }),
                vec![Evidence::PodLost],
            ),
            (
                json!({ "phase": "Failed", "reason": "DeadlineExceeded" }),
                vec![Evidence::PodFailed, Evidence::TimedOut],
            ),
        ] {
            assert_eq!(shown(status.clone()), expected, "{status}");
        }
    }

    #[test]
    fn a_log_line_tells_of_something_that_is_away() {
        for line in [
            "error: google: could not find default credentials. See https://…",
            "UNAUTHORIZED: Unauthenticated request does not have permission",
            "dial tcp 10.0.0.1:443: connect: connection refused",
            "unexpected status: 503 Service Unavailable",
        ] {
            assert!(is_transient(line), "{line}");
        }
        for line in [
            "error building image: no such file",
            "step 503 of 900",
            "Permission 'x' denied",
        ] {
            assert!(!is_transient(line), "{line}");
        }
    }

    /// Every message that the table of kaniko's messages classifies as `unavailable` has evidence
    /// in the log.
    #[test]
    fn every_passing_message_of_kaniko_is_transient() {
        use sidestep_kaniko_messages::{Class, EXAMPLES};
        for (text, _, kind) in EXAMPLES.iter().copied().flatten() {
            if kind.facts().class == Class::Unavailable {
                assert!(text.lines().any(is_transient), "{text}");
            }
        }
    }

    #[test]
    fn a_volume_that_can_t_be_mounted_is_a_failed_start() {
        let event = |kind: &str, reason: &str| -> Event {
            let event =
                json!({ "metadata": {}, "involvedObject": {}, "type": kind, "reason": reason });
            serde_json::from_value(event).expect("an event")
        };
        assert!(is_failed_start(&event("Warning", "FailedMount")));
        assert!(!is_failed_start(&event("Normal", "FailedMount")));
        assert!(!is_failed_start(&event("Warning", "FailedScheduling")));
    }

    fn ended(exit: i32) -> Value {
        container(json!({ "terminated": { "exitCode": exit } }))
    }

    fn waits(reason: &str) -> Value {
        container(json!({ "waiting": { "reason": reason } }))
    }

    fn container(state: Value) -> Value {
        json!({ "name": "c", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state })
    }
}
