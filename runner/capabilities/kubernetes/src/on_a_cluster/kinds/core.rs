//! The kinds of the core group.

use serde_json::json;

use super::row::{Fate, Row, row};

/// Returns the kinds of the core group.
pub(super) fn core(namespace: &str) -> Vec<Row> {
    let pod = json!({ "containers": [{ "name": "main", "image": "none" }] });
    let labels = json!({ "app": "kinds" });
    let template = json!({ "metadata": { "labels": labels }, "spec": pod });
    let storage = json!({ "storage": "1Gi" });
    let claim = json!({ "accessModes": ["ReadWriteOnce"], "resources": { "requests": storage } });
    let volume = json!({
        "accessModes": ["ReadWriteOnce"], "capacity": storage, "hostPath": { "path": "/none" },
    });
    let controller = json!({ "selector": labels, "template": template });
    let about = json!({ "involvedObject": { "namespace": namespace } });
    vec![
        // The pod need not exist: the refusal is what is checked.
        row(
            "v1",
            "Binding",
            "bindings",
            json!({ "target": { "name": "none" } }),
        )
        .of(Fate::Refused),
        row("v1", "ConfigMap", "configmaps", json!({})),
        row("v1", "Endpoints", "endpoints", json!({})),
        row("v1", "Event", "events", about),
        row(
            "v1",
            "LimitRange",
            "limitranges",
            json!({ "spec": { "limits": [] } }),
        ),
        row("v1", "Namespace", "namespaces", json!({}))
            .global()
            .named(format!("{namespace}-other"))
            .of(Fate::Going),
        row("v1", "Node", "nodes", json!({})).global(),
        row(
            "v1",
            "PersistentVolumeClaim",
            "persistentvolumeclaims",
            json!({ "spec": claim }),
        )
        .of(Fate::Going),
        row(
            "v1",
            "PersistentVolume",
            "persistentvolumes",
            json!({ "spec": volume }),
        )
        .global()
        .of(Fate::Going),
        row("v1", "Pod", "pods", json!({ "spec": pod })),
        row(
            "v1",
            "PodTemplate",
            "podtemplates",
            json!({ "template": template }),
        ),
        row(
            "v1",
            "ReplicationController",
            "replicationcontrollers",
            json!({ "spec": controller }),
        ),
        row(
            "v1",
            "ResourceQuota",
            "resourcequotas",
            json!({ "spec": {} }),
        ),
        row("v1", "Secret", "secrets", json!({})),
        row("v1", "ServiceAccount", "serviceaccounts", json!({})),
        row(
            "v1",
            "Service",
            "services",
            json!({ "spec": { "ports": [{ "port": 80 }] } }),
        ),
    ]
}
