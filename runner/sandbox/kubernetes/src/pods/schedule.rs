//! The choice of a node, with the scheduler's messages if there is none.

use std::collections::BTreeMap;

use serde_json::Value;

use super::quantity::thousandths;

/// Returns the node for a pod, or the reason why there is none.
pub(crate) fn find(pod: &Value, nodes: &[&Value], pods: &[&Value]) -> Result<String, String> {
    if nodes.is_empty() {
        return Err("no nodes available to schedule pods".to_owned());
    }
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for node in nodes {
        match refusal(pod, node, pods) {
            None => {
                return Ok(node["metadata"]["name"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned());
            }
            Some(reason) => *reasons.entry(reason).or_default() += 1,
        }
    }
    Err(unavailable(
        nodes.len(),
        &reasons
            .iter()
            .map(|(reason, n)| format!("{n} {reason}"))
            .collect::<Vec<_>>()
            .join(", "),
    ))
}

/// Returns the scheduler's message.
pub(crate) fn unavailable(nodes: usize, reasons: &str) -> String {
    format!(
        "0/{nodes} nodes are available: {reasons}. preemption: 0/{nodes} nodes are available: \
         {nodes} Preemption is not helpful for scheduling."
    )
}

fn refusal(pod: &Value, node: &Value, pods: &[&Value]) -> Option<String> {
    let labels = &node["metadata"]["labels"];
    let name = &node["metadata"]["name"];
    if node["spec"]["unschedulable"] == true {
        return Some("node(s) were unschedulable".to_owned());
    }
    let ready = node["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|c| c["type"] == "Ready" && c["status"] == "True");
    if !ready {
        return Some("node(s) had untolerated taint {node.kubernetes.io/not-ready: }".to_owned());
    }
    for taint in node["spec"]["taints"].as_array().into_iter().flatten() {
        if taint["effect"] != "PreferNoSchedule" && !tolerates(pod, taint) {
            return Some(format!(
                "node(s) had untolerated taint {{{}: {}}}",
                taint["key"].as_str().unwrap_or_default(),
                taint["value"].as_str().unwrap_or_default()
            ));
        }
    }
    let selector = pod["spec"]["nodeSelector"].as_object();
    if selector
        .into_iter()
        .flatten()
        .any(|(key, value)| labels[key] != *value)
    {
        return Some("node(s) didn't match Pod's node affinity/selector".to_owned());
    }
    ["cpu", "memory", "ephemeral-storage"]
        .into_iter()
        .find_map(|resource| {
            let wanted = request(pod, resource);
            let room = thousandths(node["status"]["allocatable"][resource].as_str()?)?;
            let used: i128 = pods
                .iter()
                .filter(|p| {
                    p["spec"]["nodeName"] == *name
                        && !matches!(p["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
                })
                .map(|p| request(p, resource))
                .sum();
            (wanted > 0 && used + wanted > room).then(|| format!("Insufficient {resource}"))
        })
}

fn tolerates(pod: &Value, taint: &Value) -> bool {
    pod["spec"]["tolerations"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|t| {
            let effect = t["effect"].is_null() || t["effect"] == taint["effect"];
            let key = t["key"].is_null() || t["key"] == taint["key"];
            let value = t["operator"] == "Exists"
                || t["value"].as_str().unwrap_or_default()
                    == taint["value"].as_str().unwrap_or_default();
            effect && key && value
        })
}

/// Returns a pod's request: the sum of its containers, or its largest init container.
fn request(pod: &Value, resource: &str) -> i128 {
    let of = |c: &Value| {
        c["resources"]["requests"][resource]
            .as_str()
            .and_then(thousandths)
            .unwrap_or(0)
    };
    let all = |list: &str| pod["spec"][list].as_array().into_iter().flatten();
    let main: i128 = all("containers").map(of).sum();
    main.max(all("initContainers").map(of).max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reasons_are_counted_over_the_nodes() {
        let node = |labels: Value| {
            json!({ "metadata": { "name": "n", "labels": labels }, "spec": {},
                "status": { "allocatable": { "memory": "1Gi" },
                            "conditions": [{ "type": "Ready", "status": "True" }] } })
        };
        let plain = node(json!({}));
        let gke = node(json!({ "iam.gke.io/gke-metadata-server-enabled": "true" }));
        let pod = json!({ "spec": {
            "nodeSelector": { "iam.gke.io/gke-metadata-server-enabled": "true" },
            "containers": [{ "resources": { "requests": { "memory": "600Mi" } } }] } });
        assert_eq!(
            find(&pod, &[&plain], &[]).expect_err("no label"),
            "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. \
             preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
        );
        assert_eq!(find(&pod, &[&plain, &gke], &[]).expect("fits"), "n");
        let mut other = pod.clone();
        other["spec"]["nodeName"] = "n".into();
        let error = find(&pod, &[&gke], &[&other]).expect_err("full");
        assert!(error.contains("1 Insufficient memory"), "{error}");
        assert_eq!(
            find(&pod, &[], &[]).expect_err("none"),
            "no nodes available to schedule pods"
        );
    }
}
