//! The short status of a pod.

use serde_json::Value;

/// Returns the text that `kubectl get pods` shows under STATUS.
///
/// After `printPod` of kubernetes/pkg/printers/internalversion.
pub(crate) fn pod_status(pod: &Value) -> String {
    let status = &pod["status"];
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let mut word = text(&status["phase"]);
    if let Some(reason) = status["reason"].as_str().filter(|r| !r.is_empty()) {
        reason.clone_into(&mut word);
    }
    let of_end = |ended: &Value| {
        let reason = text(&ended["reason"]);
        if !reason.is_empty() {
            reason
        } else if ended["signal"].as_i64().unwrap_or(0) != 0 {
            format!("Signal:{}", ended["signal"])
        } else {
            format!("ExitCode:{}", ended["exitCode"])
        }
    };
    let inits = pod["spec"]["initContainers"].as_array().map_or(0, Vec::len);
    let mut initializing = false;
    for (n, init) in status["initContainerStatuses"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let state = &init["state"];
        if state["terminated"]["exitCode"] == 0 {
            continue;
        }
        let waiting = text(&state["waiting"]["reason"]);
        word = if state["terminated"].is_object() {
            format!("Init:{}", of_end(&state["terminated"]))
        } else if !waiting.is_empty() && waiting != "PodInitializing" {
            format!("Init:{waiting}")
        } else {
            format!("Init:{n}/{inits}")
        };
        initializing = true;
        break;
    }
    if !initializing {
        let mut running = false;
        for status in status["containerStatuses"]
            .as_array()
            .into_iter()
            .flatten()
            .rev()
        {
            let state = &status["state"];
            let waiting = text(&state["waiting"]["reason"]);
            if !waiting.is_empty() {
                word = waiting;
            } else if state["terminated"].is_object() {
                word = of_end(&state["terminated"]);
            } else if status["ready"] == true {
                running = true;
            }
        }
        if word == "Completed" && running {
            "Running".clone_into(&mut word);
        }
        if let Some(reason) = status["reason"].as_str().filter(|r| *r == "Evicted") {
            reason.clone_into(&mut word);
        }
    }
    if meta_deleted(pod) && !matches!(status["phase"].as_str(), Some("Succeeded" | "Failed")) {
        "Terminating".clone_into(&mut word);
    }
    word
}

fn meta_deleted(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_status_word_is_the_one_that_explains() {
        let of =
            |status: Value| pod_status(&json!({ "metadata": {}, "spec": {}, "status": status }));
        assert_eq!(of(json!({ "phase": "Pending" })), "Pending");
        assert_eq!(
            of(json!({ "phase": "Pending", "containerStatuses": [
                { "state": { "waiting": { "reason": "ImagePullBackOff" } } }] })),
            "ImagePullBackOff"
        );
        assert_eq!(
            of(json!({ "phase": "Failed", "containerStatuses": [
                { "state": { "terminated": { "reason": "OOMKilled", "exitCode": 137 } } }] })),
            "OOMKilled"
        );
        assert_eq!(
            of(json!({ "phase": "Failed", "reason": "Evicted" })),
            "Evicted"
        );
        assert_eq!(
            of(json!({ "phase": "Pending", "initContainerStatuses": [
                { "state": { "running": {} } }] })),
            "Init:0/0"
        );
    }
}
