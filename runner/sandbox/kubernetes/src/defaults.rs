//! What the API server fills in when an object is created.

use serde_json::{Value, json};

use crate::clock;
use crate::names::{suffix, unique_id};

const TOKEN_MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

fn or(object: &mut Value, key: &str, value: impl Into<Value>) {
    if object[key].is_null() {
        object[key] = value.into();
    }
}

/// The entries of a list that may not be there, and is not made by looking.
pub(crate) fn items<'a>(object: &'a mut Value, key: &str) -> impl Iterator<Item = &'a mut Value> {
    let list = object.get_mut(key).and_then(Value::as_array_mut);
    list.into_iter().flatten()
}

/// Metadata that only the server writes.
pub(crate) fn identity(object: &mut Value) {
    let meta = &mut object["metadata"];
    meta["uid"] = unique_id().into();
    meta["creationTimestamp"] = clock::now().into();
    if let Some(map) = meta.as_object_mut() {
        for key in [
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
            "generation",
        ] {
            map.shift_remove(key);
        }
    }
}

/// Fills in a kind's defaults.
pub(crate) fn fill(plural: &str, object: &mut Value) {
    match plural {
        "pods" => pod(object),
        "namespaces" => namespace(object),
        "secrets" => secret(object),
        "nodes" => {
            or(object, "spec", json!({}));
            or(object, "status", json!({}));
        }
        _ => {}
    }
}

fn namespace(object: &mut Value) {
    let name = object["metadata"]["name"].clone();
    or(&mut object["metadata"], "labels", json!({}));
    object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
    object["spec"] = json!({ "finalizers": ["kubernetes"] });
    if object["status"]["phase"].is_null() {
        object["status"] = json!({ "phase": "Active" });
    }
}

fn secret(object: &mut Value) {
    or(object, "type", "Opaque");
    // `stringData` is written only; it comes back as `data`.
    if let Some(text) = object
        .as_object_mut()
        .and_then(|m| m.shift_remove("stringData"))
        && let Some(map) = text.as_object()
    {
        or(object, "data", json!({}));
        for (key, value) in map {
            let bytes = value.as_str().unwrap_or_default();
            object["data"][key] = encode(bytes.as_bytes()).into();
        }
    }
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn pod(object: &mut Value) {
    let spec = &mut object["spec"];
    for (key, value) in [
        ("restartPolicy", json!("Always")),
        ("terminationGracePeriodSeconds", json!(30)),
        ("dnsPolicy", json!("ClusterFirst")),
        ("securityContext", json!({})),
        ("schedulerName", json!("default-scheduler")),
        ("priority", json!(0)),
        ("enableServiceLinks", json!(true)),
        ("preemptionPolicy", json!("PreemptLowerPriority")),
    ] {
        or(spec, key, value);
    }
    let old_name = spec["serviceAccount"].clone();
    if spec["serviceAccountName"]
        .as_str()
        .is_none_or(str::is_empty)
    {
        spec["serviceAccountName"] = if old_name.is_string() {
            old_name
        } else {
            "default".into()
        };
    }
    spec["serviceAccount"] = spec["serviceAccountName"].clone();
    for list in ["initContainers", "containers"] {
        for item in items(spec, list) {
            container(item);
        }
    }
    for volume in items(spec, "volumes") {
        self::volume(volume);
    }
    tolerations(spec);
    let class = quality(&object["spec"]);
    object["status"] = json!({ "phase": "Pending", "qosClass": class });
}

fn container(item: &mut Value) {
    or(item, "resources", json!({}));
    or(item, "terminationMessagePath", "/dev/termination-log");
    or(item, "terminationMessagePolicy", "File");
    let image = item["image"].as_str().unwrap_or_default();
    let latest = !image.contains('@')
        && image
            .rsplit('/')
            .next()
            .is_none_or(|l| !l.contains(':') || l.ends_with(":latest"));
    or(
        item,
        "imagePullPolicy",
        if latest { "Always" } else { "IfNotPresent" },
    );
    // A limit without a request asks for as much.
    if let Some(limits) = item["resources"]["limits"].as_object().cloned() {
        or(&mut item["resources"], "requests", json!({}));
        for (name, amount) in limits {
            or(&mut item["resources"]["requests"], &name, amount);
        }
    }
    for port in items(item, "ports") {
        or(port, "protocol", "TCP");
    }
    for env in items(item, "env") {
        if env["valueFrom"]["fieldRef"].is_object() {
            or(&mut env["valueFrom"]["fieldRef"], "apiVersion", "v1");
        }
    }
}

fn volume(volume: &mut Value) {
    if volume.as_object().is_some_and(|m| m.len() == 1) {
        volume["emptyDir"] = json!({});
    }
    for source in ["secret", "configMap", "projected", "downwardAPI"] {
        if volume[source].is_object() {
            or(&mut volume[source], "defaultMode", 420);
        }
    }
    let Some(projected) = volume.get_mut("projected") else {
        return;
    };
    for source in items(projected, "sources") {
        if source["serviceAccountToken"].is_object() {
            or(
                &mut source["serviceAccountToken"],
                "expirationSeconds",
                3600,
            );
        }
    }
}

fn tolerations(spec: &mut Value) {
    or(spec, "tolerations", json!([]));
    let Some(list) = spec["tolerations"].as_array_mut() else {
        return;
    };
    for key in [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ] {
        if !list.iter().any(|t| t["key"] == key) {
            list.push(json!({
                "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300,
            }));
        }
    }
}

/// The pod's quality-of-service class.
fn quality(spec: &Value) -> &'static str {
    let all: Vec<&Value> = ["initContainers", "containers"]
        .iter()
        .filter_map(|l| spec[*l].as_array())
        .flatten()
        .collect();
    let set = |c: &Value, which: &str| {
        ["cpu", "memory"]
            .iter()
            .any(|r| !c["resources"][which][*r].is_null())
    };
    let full = |c: &&Value| {
        ["cpu", "memory"].iter().all(|r| {
            let limit = &c["resources"]["limits"][*r];
            !limit.is_null() && c["resources"]["requests"][*r] == *limit
        })
    };
    if !all.iter().any(|c| set(c, "limits") || set(c, "requests")) {
        "BestEffort"
    } else if all.iter().all(full) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// Mounts the service account's token, as the ServiceAccount admission plugin does.
pub(crate) fn mount_token(pod: &mut Value, account: &Value) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_filled_like_the_api_server_fills_it() {
        let mut pod = json!({ "metadata": { "name": "a" }, "spec": {
            "containers": [{ "name": "c", "image": "r.example:5000/i" },
                           { "name": "d", "image": "i:1", "resources": { "limits": { "cpu": "1" } } }],
            "volumes": [{ "name": "v" }, { "name": "w", "configMap": { "name": "c" } }],
        }});
        fill("pods", &mut pod);
        assert_eq!(pod["spec"]["containers"][0]["imagePullPolicy"], "Always");
        assert_eq!(
            pod["spec"]["containers"][1]["imagePullPolicy"],
            "IfNotPresent"
        );
        assert_eq!(
            pod["spec"]["containers"][1]["resources"]["requests"]["cpu"],
            "1"
        );
        assert_eq!(pod["spec"]["serviceAccountName"], "default");
        assert_eq!(
            pod["spec"]["volumes"],
            json!([{ "name": "v", "emptyDir": {} },
                   { "name": "w", "configMap": { "name": "c", "defaultMode": 420 } }])
        );
        // What was not there is not there as nothing either.
        assert!(!pod.to_string().contains("null"), "{pod}");
        assert_eq!(
            pod["status"],
            json!({ "phase": "Pending", "qosClass": "Burstable" })
        );
        mount_token(&mut pod, &json!({}));
        assert_eq!(
            pod["spec"]["containers"][0]["volumeMounts"][0]["mountPath"],
            TOKEN_MOUNT
        );
        let mut off =
            json!({ "spec": { "containers": [{}], "automountServiceAccountToken": false } });
        mount_token(&mut off, &json!({}));
        assert!(off["spec"]["volumes"].is_null());
    }

    #[test]
    fn string_data_becomes_data() {
        let mut secret = json!({ "stringData": { "k": "v" } });
        fill("secrets", &mut secret);
        assert_eq!(secret, json!({ "type": "Opaque", "data": { "k": "dg==" } }));
    }
}
