//! A pod's defaults.

use serde_json::{Value, json};

use super::{items, or};

pub(super) fn fill(object: &mut Value) {
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
            fill_container(item);
        }
    }
    for volume in items(spec, "volumes") {
        fill_volume(volume);
    }
    tolerations(spec);
    let class = quality(&object["spec"]);
    object["status"] = json!({ "phase": "Pending", "qosClass": class });
}

fn fill_container(item: &mut Value) {
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
    // A limit without a request sets the request too.
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

fn fill_volume(volume: &mut Value) {
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

/// Returns the pod's quality-of-service class.
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
