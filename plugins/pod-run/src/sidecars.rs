//! The containers beside the command, as native sidecars: init containers that keep running
//! (Kubernetes, "Sidecar Containers").

use sidestep::serde_json::{Value, json};
use sidestep_pod::{literal, resources};

use crate::inputs::Sidecar;

/// Returns the pod's init containers.
pub(crate) fn containers(sidecars: &[Sidecar]) -> Vec<Value> {
    sidecars.iter().map(container).collect()
}

fn container(sidecar: &Sidecar) -> Value {
    let literals =
        |words: &[String]| -> Vec<String> { words.iter().map(|word| literal(word)).collect() };
    let mut container = json!({
        "name": sidecar.name,
        "image": sidecar.image.as_str(),
        "restartPolicy": "Always",
        "env": env(&sidecar.env),
        "resources": resources(sidecar.resources()),
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
    });
    for (field, words) in [("command", &sidecar.command), ("args", &sidecar.args)] {
        if !words.is_empty() {
            container[field] = literals(words).into();
        }
    }
    container
}

/// Returns the variables as a container has them. The kubelet expands nothing in them.
pub(crate) fn env<'a>(variables: impl IntoIterator<Item = (&'a String, &'a String)>) -> Vec<Value> {
    let variables = variables.into_iter();
    variables
        .map(|(name, value)| json!({ "name": name, "value": literal(value) }))
        .collect()
}
