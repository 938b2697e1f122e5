//! The place and time of the pod: tolerations, affinity, classes, queues, and the labels
//! and annotations that its controllers read.

use std::collections::BTreeMap;

use sidestep::serde_json::Value;

/// The label by which Kueue takes a pod into a queue (Kueue, "Run Plain Pods").
const QUEUE: &str = "kueue.x-k8s.io/queue-name";
/// The gate that Kueue holds a pod by until it starts it.
const ADMISSION: &str = "kueue.x-k8s.io/admission";

/// The inputs that decide where and when a pod runs.
#[derive(Debug, Clone, Copy)]
pub struct Placement<'a> {
    /// Labels of the pod.
    pub labels: &'a BTreeMap<String, String>,
    /// Annotations of the pod.
    pub annotations: &'a BTreeMap<String, String>,
    /// Kueue's queue.
    pub queue: Option<&'a str>,
    /// The taints that it tolerates.
    pub tolerations: &'a [Value],
    /// Its affinity.
    pub affinity: Option<&'a BTreeMap<String, Value>>,
    /// Its priority class.
    pub priority_class: Option<&'a str>,
    /// Its runtime class.
    pub runtime_class: Option<&'a str>,
}

impl Placement<'_> {
    /// Adds what the inputs say to a pod.
    pub fn place(&self, pod: &mut Value) {
        let labels = self.labels.iter();
        let labels = labels.map(|(name, value)| (name.as_str(), value.as_str()));
        let queue = self.queue.map(|queue| (QUEUE, queue)).into_iter();
        for (name, value) in queue.chain(labels) {
            // The step's own labels stay.
            let place = &mut pod["metadata"]["labels"][name];
            if place.is_null() {
                *place = value.into();
            }
        }
        for (name, value) in self.annotations {
            pod["metadata"]["annotations"][name] = value.as_str().into();
        }
        let spec = &mut pod["spec"];
        if !self.tolerations.is_empty() {
            spec["tolerations"] = self.tolerations.into();
        }
        for (kind, value) in self.affinity.into_iter().flatten() {
            spec["affinity"][kind] = value.clone();
        }
        for (field, class) in [
            ("priorityClassName", self.priority_class),
            ("runtimeClassName", self.runtime_class),
        ] {
            if let Some(class) = class {
                spec[field] = class.into();
            }
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
