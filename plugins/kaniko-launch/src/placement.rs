//! The place and time of the pod: tolerations, affinity, classes, queues, and the labels
//! and annotations that its controllers read.

use sidestep::serde_json::Value;

use crate::inputs::Inputs;

/// The label by which Kueue takes a pod into a queue (Kueue, "Run Plain Pods").
const QUEUE: &str = "kueue.x-k8s.io/queue-name";
/// The gate that Kueue holds a pod by until it starts it.
const ADMISSION: &str = "kueue.x-k8s.io/admission";

/// Adds what the inputs say to a pod.
pub(crate) fn place(pod: &mut Value, inputs: &Inputs) {
    let labels = inputs.pod_labels.iter();
    let queue = inputs.queue.iter();
    let labels = queue
        .map(|queue| (QUEUE, queue))
        .chain(labels.map(|(name, value)| (name.as_str(), value)));
    for (name, value) in labels {
        // The step's own labels stay.
        let place = &mut pod["metadata"]["labels"][name];
        if place.is_null() {
            *place = value.as_str().into();
        }
    }
    for (name, value) in &inputs.pod_annotations {
        pod["metadata"]["annotations"][name] = value.as_str().into();
    }
    let spec = &mut pod["spec"];
    if !inputs.tolerations.is_empty() {
        spec["tolerations"] = inputs.tolerations.clone().into();
    }
    if let Some(affinity) = &inputs.affinity {
        for (kind, value) in affinity {
            spec["affinity"][kind] = value.clone();
        }
    }
    for (field, class) in [
        ("priorityClassName", &inputs.priority_class),
        ("runtimeClassName", &inputs.runtime_class),
    ] {
        if let Some(class) = class {
            spec[field] = class.as_str().into();
        }
    }
}

/// Returns what a pod waits for before it can be scheduled (Kubernetes, "Pod Scheduling
/// Readiness"); `None` if it is not held.
pub(crate) fn held(pod: &Value) -> Option<String> {
    let gates = pod["spec"]["schedulingGates"].as_array()?;
    let names: Vec<&str> = gates
        .iter()
        .filter_map(|gate| gate["name"].as_str())
        .collect();
    let queue = pod["metadata"]["labels"][QUEUE].as_str();
    match (&names[..], queue) {
        ([], _) => None,
        ([ADMISSION], Some(queue)) => Some(format!("waiting in the queue {queue}")),
        (names, _) => Some(format!("waiting, held by {}", names.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;
    use crate::inputs::example;
    use crate::pod::pod;

    #[test]
    fn what_the_inputs_say_stands_in_the_pod() {
        let inputs = example(&json!({
            "tolerations": [{ "key": "builds", "operator": "Exists" }],
            "affinity": { "nodeAffinity": { "x": 1 } },
            "priorityClass": "ci",
            "runtimeClass": "gvisor",
            "queue": "builds",
            "podLabels": {
                "team": "a", "app.kubernetes.io/name": "other",
                "kueue.x-k8s.io/queue-name": "other",
            },
            "podAnnotations": { "sidecar.istio.io/inject": "false" },
        }));
        let pod = pod("p", &inputs, None);
        let expected = json!({
            "app.kubernetes.io/name": "kaniko-launch", "team": "a",
            "kueue.x-k8s.io/queue-name": "builds",
        });
        assert_eq!(pod["metadata"]["labels"], expected);
        let annotations = json!({ "sidecar.istio.io/inject": "false" });
        assert_eq!(pod["metadata"]["annotations"], annotations);
        let spec = &pod["spec"];
        let tolerations = json!([{ "key": "builds", "operator": "Exists" }]);
        assert_eq!(spec["tolerations"], tolerations);
        assert_eq!(spec["affinity"], json!({ "nodeAffinity": { "x": 1 } }));
        assert_eq!(spec["priorityClassName"], "ci");
        assert_eq!(spec["runtimeClassName"], "gvisor");
    }

    #[test]
    fn nothing_is_added_without_inputs() {
        let pod = pod("p", &example(&json!({})), None);
        assert!(pod["metadata"]["annotations"].is_null());
        for field in [
            "tolerations",
            "affinity",
            "priorityClassName",
            "runtimeClassName",
        ] {
            assert!(pod["spec"][field].is_null(), "{field}");
        }
    }

    #[test]
    fn a_held_pod_names_its_queue_or_its_gates() {
        let of = |gates: &[&str], queue: &str| {
            let gates: Vec<_> = gates.iter().map(|name| json!({ "name": name })).collect();
            let mut pod = json!({ "spec": { "schedulingGates": gates } });
            if !queue.is_empty() {
                pod["metadata"]["labels"][QUEUE] = queue.into();
            }
            held(&pod)
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            of(&[ADMISSION], "builds"),
            text("waiting in the queue builds")
        );
        assert_eq!(of(&["a/b", "c/d"], ""), text("waiting, held by a/b, c/d"));
        assert_eq!(of(&[], "builds"), None);
        assert_eq!(held(&json!({})), None);
    }
}
