//! The service account's token in a pod.

use serde_json::{Value, json};

use super::{items, or};
use crate::names::suffix;

pub(super) const TOKEN_MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Mounts the service account's token, as the ServiceAccount admission plugin does.
pub(crate) fn mount(pod: &mut Value, account: &Value) {
    let wanted = pod["spec"]["automountServiceAccountToken"]
        .as_bool()
        .or_else(|| account["automountServiceAccountToken"].as_bool())
        .unwrap_or(true);
    let spec = &mut pod["spec"];
    if spec["imagePullSecrets"].is_null() && account["imagePullSecrets"].is_array() {
        spec["imagePullSecrets"] = account["imagePullSecrets"].clone();
    }
    if !wanted {
        return;
    }
    let name = format!("kube-api-access-{}", suffix());
    let mut used = false;
    for list in ["initContainers", "containers"] {
        for item in items(spec, list) {
            or(item, "volumeMounts", json!([]));
            let Some(mounts) = item["volumeMounts"].as_array_mut() else {
                continue;
            };
            if !mounts.iter().any(|m| m["mountPath"] == TOKEN_MOUNT) {
                mounts.push(json!({ "name": name, "readOnly": true, "mountPath": TOKEN_MOUNT }));
                used = true;
            }
        }
    }
    if !used {
        return;
    }
    or(spec, "volumes", json!([]));
    if let Some(volumes) = spec["volumes"].as_array_mut() {
        volumes.push(
            json!({ "name": name, "projected": { "defaultMode": 420, "sources": [
            { "serviceAccountToken": { "expirationSeconds": 3607, "path": "token" } },
            { "configMap": {
                "name": "kube-root-ca.crt", "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
            { "downwardAPI": { "items": [{
                "path": "namespace",
                "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" } }] } },
        ] } }),
        );
    }
}
