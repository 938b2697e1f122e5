//! `meta.k8s.io/v1` Tables: what `kubectl get` prints.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock::age;

/// Which part of each object a row carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Include {
    None,
    Metadata,
    Object,
}

impl Include {
    pub(crate) fn parse(text: Option<&str>) -> Self {
        match text {
            Some("None") => Self::None,
            Some("Object") => Self::Object,
            _ => Self::Metadata,
        }
    }
}

/// Name and priority (0: always shown; 1: with `-o wide`).
type Column = (&'static str, u8);

fn columns(plural: &str) -> &'static [Column] {
    match plural {
        "pods" => &[
            ("Name", 0),
            ("Ready", 0),
            ("Status", 0),
            ("Restarts", 0),
            ("Age", 0),
            ("IP", 1),
            ("Node", 1),
            ("Nominated Node", 1),
            ("Readiness Gates", 1),
        ],
        "events" => &[
            ("Last Seen", 0),
            ("Type", 0),
            ("Reason", 0),
            ("Object", 0),
            ("Subobject", 1),
            ("Source", 1),
            ("Message", 0),
            ("First Seen", 1),
            ("Count", 1),
            ("Name", 1),
        ],
        "namespaces" => &[("Name", 0), ("Status", 0), ("Age", 0)],
        "nodes" => &[
            ("Name", 0),
            ("Status", 0),
            ("Roles", 0),
            ("Age", 0),
            ("Version", 0),
            ("Internal-IP", 1),
            ("External-IP", 1),
            ("OS-Image", 1),
            ("Kernel-Version", 1),
            ("Container-Runtime", 1),
        ],
        "secrets" => &[("Name", 0), ("Type", 0), ("Data", 0), ("Age", 0)],
        "configmaps" => &[("Name", 0), ("Data", 0), ("Age", 0)],
        "serviceaccounts" => &[("Name", 0), ("Secrets", 0), ("Age", 0)],
        _ => &[("Name", 0), ("Age", 0)],
    }
}

/// A table of objects; `meta` is the list's own metadata.
pub(crate) fn table<'a>(
    plural: &str,
    objects: impl IntoIterator<Item = &'a Value>,
    meta: &Value,
    include: Include,
    headings: bool,
) -> Value {
    let now = Timestamp::now();
    let rows: Vec<Value> = objects
        .into_iter()
        .map(|object| {
            let mut row = json!({ "cells": cells(plural, object, now) });
            match include {
                Include::None => {}
                Include::Object => row["object"] = object.clone(),
                Include::Metadata => {
                    row["object"] = json!({
                        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                        "metadata": object["metadata"],
                    });
                }
            }
            row
        })
        .collect();
    let columns: Vec<Value> = columns(plural)
        .iter()
        .filter(|_| headings)
        .map(|(name, priority)| {
            json!({
                "name": name,
                "type": if matches!(*name, "Data" | "Secrets" | "Count") { "integer" } else { "string" },
                "format": if *name == "Name" { "name" } else { "" },
                "description": "",
                "priority": priority,
            })
        })
        .collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta,
        "columnDefinitions": columns, "rows": rows,
    })
}

fn cells(plural: &str, object: &Value, now: Timestamp) -> Vec<Value> {
    let meta = &object["metadata"];
    let old = || age(meta["creationTimestamp"].as_str().unwrap_or_default(), now);
    let name = meta["name"].clone();
    let count = |field: &str| {
        object[field].as_object().map_or_else(
            || object[field].as_array().map_or(0, Vec::len),
            serde_json::Map::len,
        )
    };
    match plural {
        "pods" => pod(object, now),
        "events" => event(object, now),
        "namespaces" => vec![name, object["status"]["phase"].clone(), old().into()],
        "nodes" => node(object, now),
        "secrets" => vec![
            name,
            object["type"].clone(),
            count("data").into(),
            old().into(),
        ],
        "configmaps" => {
            vec![
                name,
                (count("data") + count("binaryData")).into(),
                old().into(),
            ]
        }
        "serviceaccounts" => vec![name, count("secrets").into(), old().into()],
        _ => vec![name, old().into()],
    }
}

/// The word that `kubectl get pods` shows under STATUS.
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

fn pod(object: &Value, now: Timestamp) -> Vec<Value> {
    let statuses = object["status"]["containerStatuses"].as_array();
    let ready = statuses
        .into_iter()
        .flatten()
        .filter(|s| s["ready"] == true)
        .count();
    let restarts: i64 = statuses
        .into_iter()
        .flatten()
        .filter_map(|s| s["restartCount"].as_i64())
        .sum();
    let total = object["spec"]["containers"].as_array().map_or(0, Vec::len);
    let meta = &object["metadata"];
    let or_none = |v: &Value| v.as_str().unwrap_or("<none>").to_owned();
    vec![
        meta["name"].clone(),
        format!("{ready}/{total}").into(),
        pod_status(object).into(),
        restarts.to_string().into(),
        age(meta["creationTimestamp"].as_str().unwrap_or_default(), now).into(),
        or_none(&object["status"]["podIP"]).into(),
        or_none(&object["spec"]["nodeName"]).into(),
        "<none>".into(),
        "<none>".into(),
    ]
}

fn event(object: &Value, now: Timestamp) -> Vec<Value> {
    let involved = &object["involvedObject"];
    let seen = |field: &str| age(object[field].as_str().unwrap_or_default(), now);
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let source = [&object["source"]["component"], &object["source"]["host"]]
        .iter()
        .filter_map(|v| v.as_str())
        .filter(|v| !v.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    vec![
        seen("lastTimestamp").into(),
        object["type"].clone(),
        object["reason"].clone(),
        format!(
            "{}/{}",
            text(&involved["kind"]).to_lowercase(),
            text(&involved["name"])
        )
        .into(),
        text(&involved["fieldPath"]).into(),
        source.into(),
        text(&object["message"]).trim().into(),
        seen("firstTimestamp").into(),
        object["count"].as_i64().unwrap_or(1).into(),
        object["metadata"]["name"].clone(),
    ]
}

fn node(object: &Value, now: Timestamp) -> Vec<Value> {
    let meta = &object["metadata"];
    let status = &object["status"];
    let ready = status["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|c| c["type"] == "Ready")
        .map_or("Unknown", |c| {
            if c["status"] == "True" {
                "Ready"
            } else {
                "NotReady"
            }
        });
    let shown = if object["spec"]["unschedulable"] == true {
        format!("{ready},SchedulingDisabled")
    } else {
        ready.to_owned()
    };
    let address = |kind: &str| {
        status["addresses"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|a| a["type"] == kind)
            .and_then(|a| a["address"].as_str())
            .unwrap_or("<none>")
            .to_owned()
    };
    let info = |field: &str| {
        status["nodeInfo"][field]
            .as_str()
            .unwrap_or("<unknown>")
            .to_owned()
    };
    vec![
        meta["name"].clone(),
        shown.into(),
        "<none>".into(),
        age(meta["creationTimestamp"].as_str().unwrap_or_default(), now).into(),
        status["nodeInfo"]["kubeletVersion"].clone(),
        address("InternalIP").into(),
        address("ExternalIP").into(),
        info("osImage").into(),
        info("kernelVersion").into(),
        info("containerRuntimeVersion").into(),
    ]
}

#[cfg(test)]
mod tests {
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
