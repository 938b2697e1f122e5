//! Changes of a pod's status.

use serde_json::{Value, json};

use crate::clock;

/// Sets a condition. The transition time only changes with the status.
pub(crate) fn condition(pod: &mut Value, kind: &str, status: bool, reason: &str, message: &str) {
    let now = clock::now();
    let mut condition = json!({
        "type": kind, "status": if status { "True" } else { "False" },
        "lastProbeTime": null, "lastTransitionTime": now,
    });
    if !reason.is_empty() {
        condition["reason"] = reason.into();
    }
    if !message.is_empty() {
        condition["message"] = message.into();
    }
    if !pod["status"]["conditions"].is_array() {
        pod["status"]["conditions"] = json!([]);
    }
    let Some(list) = pod["status"]["conditions"].as_array_mut() else {
        return;
    };
    match list.iter_mut().find(|c| c["type"] == kind) {
        Some(have) => {
            if have["status"] == condition["status"] {
                condition["lastTransitionTime"] = have["lastTransitionTime"].clone();
            }
            *have = condition;
        }
        None => list.push(condition),
    }
}

/// The list of the pod that a container is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Init,
    Main,
}

impl List {
    pub(crate) fn spec(self) -> &'static str {
        match self {
            Self::Init => "initContainers",
            Self::Main => "containers",
        }
    }

    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::Init => "initContainerStatuses",
            Self::Main => "containerStatuses",
        }
    }
}

/// Sets the statuses of containers before any has started.
pub(crate) fn fresh(pod: &mut Value) {
    let has_init = pod["spec"]["initContainers"]
        .as_array()
        .is_some_and(|l| !l.is_empty());
    for list in [List::Init, List::Main] {
        let Some(containers) = pod["spec"][list.spec()]
            .as_array()
            .filter(|l| !l.is_empty())
        else {
            continue;
        };
        let reason = if has_init {
            "PodInitializing"
        } else {
            "ContainerCreating"
        };
        let statuses: Vec<Value> = containers
            .iter()
            .map(|c| {
                json!({
                    "name": c["name"], "image": c["image"], "imageID": "", "ready": false,
                    "started": false, "restartCount": 0, "lastState": {},
                    "state": { "waiting": { "reason": reason } },
                })
            })
            .collect();
        pod["status"][list.status()] = statuses.into();
    }
}

/// Returns a container's status.
pub(crate) fn container<'a>(pod: &'a Value, list: List, name: &str) -> Option<&'a Value> {
    pod["status"][list.status()]
        .as_array()?
        .iter()
        .find(|s| s["name"] == name)
}

/// Returns a container's status, mutably.
pub(crate) fn container_mut<'a>(
    pod: &'a mut Value,
    list: List,
    name: &str,
) -> Option<&'a mut Value> {
    pod.get_mut("status")?
        .get_mut(list.status())?
        .as_array_mut()?
        .iter_mut()
        .find(|s| s["name"] == name)
}

/// Returns whether an init container of that name is a sidecar, which runs beside the others.
pub(crate) fn is_sidecar(pod: &Value, name: &str) -> bool {
    let mut containers = pod["spec"]["initContainers"]
        .as_array()
        .into_iter()
        .flatten();
    containers.any(|one| one["name"] == name && one["restartPolicy"] == "Always")
}

/// Returns whether a container has started, now or before a restart.
pub(crate) fn has_started(status: &Value) -> bool {
    let state = &status["state"];
    state["running"].is_object()
        || state["terminated"].is_object()
        || status["lastState"]["terminated"].is_object()
}

/// Derives phase and readiness from the containers, as the kubelet does.
pub(crate) fn settle(pod: &mut Value) {
    let statuses = |list: List| -> Vec<Value> {
        pod["status"][list.status()]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let (inits, mains) = (statuses(List::Init), statuses(List::Main));
    let policy = pod["spec"]["restartPolicy"]
        .as_str()
        .unwrap_or("Always")
        .to_owned();
    let done = |s: &Value| {
        let end = &s["state"]["terminated"];
        end.is_object() && (policy == "Never" || (policy == "OnFailure" && end["exitCode"] == 0))
    };
    let good = |s: &Value| s["state"]["terminated"]["exitCode"] == 0;
    let named = |s: &&Value| is_sidecar(pod, s["name"].as_str().unwrap_or_default());
    let sidecars: Vec<Value> = inits
        .iter()
        .filter(named)
        .map(|s| s["name"].clone())
        .collect();
    let sidecar = |s: &Value| sidecars.contains(&s["name"]);
    let prepared = |s: &Value| good(s) || (sidecar(s) && has_started(s));
    let initialized = inits.iter().all(prepared);
    let init_failed = policy == "Never"
        && inits
            .iter()
            .any(|s| s["state"]["terminated"].is_object() && !good(s) && !sidecar(s));
    let started = mains
        .iter()
        .any(|s| !s["state"]["waiting"].is_object() || s["lastState"]["terminated"].is_object());
    let phase = if init_failed {
        "Failed"
    } else if !mains.is_empty() && mains.iter().all(done) {
        if mains.iter().all(good) {
            "Succeeded"
        } else {
            "Failed"
        }
    } else if initialized && started {
        "Running"
    } else {
        "Pending"
    };
    if !matches!(
        pod["status"]["phase"].as_str(),
        Some("Succeeded" | "Failed")
    ) {
        pod["status"]["phase"] = phase.into();
    }
    let over = matches!(
        pod["status"]["phase"].as_str(),
        Some("Succeeded" | "Failed")
    );
    let completed = pod["status"]["phase"] == "Succeeded";
    let waiting: Vec<&str> = mains
        .iter()
        .filter(|s| s["ready"] != true)
        .filter_map(|s| s["name"].as_str())
        .collect();
    let ready = !over && waiting.is_empty();
    let message = format!("containers with unready status: [{}]", waiting.join(" "));
    let (reason, message) = match (ready, completed) {
        (true, _) => ("", String::new()),
        (_, true) => ("PodCompleted", String::new()),
        _ if pod["status"]["phase"] == "Failed" => ("PodFailed", String::new()),
        _ => ("ContainersNotReady", message),
    };
    if initialized {
        condition(
            pod,
            "Initialized",
            true,
            if completed { "PodCompleted" } else { "" },
            "",
        );
    } else {
        let names: Vec<&str> = inits
            .iter()
            .filter(|s| !prepared(s))
            .filter_map(|s| s["name"].as_str())
            .collect();
        let message = format!("containers with incomplete status: [{}]", names.join(" "));
        condition(
            pod,
            "Initialized",
            false,
            "ContainersNotInitialized",
            &message,
        );
    }
    condition(pod, "PodReadyToStartContainers", !over, "", "");
    condition(pod, "ContainersReady", ready, reason, &message);
    condition(pod, "Ready", ready, reason, &message);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(policy: &str, states: &Value) -> String {
        let statuses: Vec<Value> = states
            .as_array()
            .into_iter()
            .flatten()
            .map(|s| json!({ "name": "c", "state": s, "lastState": {}, "ready": s["running"].is_object() }))
            .collect();
        let mut pod = json!({ "spec": { "restartPolicy": policy },
            "status": { "phase": "Pending", "containerStatuses": statuses } });
        settle(&mut pod);
        pod["status"]["phase"].as_str().expect("a phase").to_owned()
    }

    #[test]
    fn the_phase_follows_the_containers() {
        let ended = |code: i32| json!({ "terminated": { "exitCode": code } });
        let (waits, runs) = (json!({ "waiting": {} }), json!({ "running": {} }));
        assert_eq!(phase("Never", &json!([waits])), "Pending");
        assert_eq!(phase("Never", &json!([runs, waits])), "Running");
        assert_eq!(phase("Never", &json!([ended(0), ended(0)])), "Succeeded");
        assert_eq!(phase("Never", &json!([ended(0), ended(1)])), "Failed");
        assert_eq!(phase("OnFailure", &json!([ended(1)])), "Running");
        assert_eq!(phase("Always", &json!([ended(0)])), "Running");
    }
}
