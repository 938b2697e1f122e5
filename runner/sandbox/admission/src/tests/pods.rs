//! The pods, and what is seen of them afterwards.

use serde_json::{Value, json};

use crate::names::{FOLDER, OBJECT, VOLUMES};

/// A pod of the table.
pub(super) struct Case {
    pub(super) what: &'static str,
    pub(super) pod: Value,
    pub(super) expected: Vec<&'static str>,
}

const VOLUME: &str = "volume sidestep-google-names: optional sidestep-google-names";
const NAMES: &str = "10.96.0.2 every name";
const METADATA: &str = "169.254.169.254 metadata.google.internal metadata";
const MAIN: &str = "main: sidestep-google-names here read-only, every variable";

fn case(what: &'static str, mut spec: Value, expected: &[&'static str]) -> Case {
    // Without the API server's own volume.
    spec["automountServiceAccountToken"] = json!(false);
    for kind in ["containers", "initContainers"] {
        for container in spec[kind].as_array_mut().into_iter().flatten() {
            container["image"] = json!("example.com/any:1");
        }
    }
    Case {
        what,
        pod: json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "any" }, "spec": spec,
        }),
        expected: expected.to_vec(),
    }
}

pub(super) fn table() -> Vec<Case> {
    let main = json!({ "name": "main" });
    let own_mount =
        json!({ "name": "main", "volumeMounts": [{ "name": "own", "mountPath": FOLDER }] });
    let empty = |name: &str| json!({ "name": name, "emptyDir": {} });
    vec![
        case(
            "a plain pod",
            json!({ "containers": [main] }),
            &[VOLUME, NAMES, METADATA, MAIN],
        ),
        case(
            "init containers and sidecars",
            json!({
                "containers": [main, { "name": "second" }],
                "initContainers": [
                    { "name": "first" },
                    { "name": "sidecar", "restartPolicy": "Always" },
                ],
            }),
            &[
                VOLUME,
                NAMES,
                METADATA,
                MAIN,
                "second: sidestep-google-names here read-only, every variable",
                "first: sidestep-google-names here read-only, every variable",
                "sidecar: sidestep-google-names here read-only, every variable",
            ],
        ),
        case(
            "the node's network",
            json!({ "containers": [main], "hostNetwork": true }),
            &[VOLUME, NAMES, METADATA, MAIN],
        ),
        case(
            "aliases of its own",
            json!({
                "containers": [main],
                "hostAliases": [
                    { "ip": "192.0.2.1", "hostnames": ["storage.googleapis.com", "example.com"] },
                    { "ip": "192.0.2.2", "hostnames": ["metadata"] },
                ],
            }),
            &[
                VOLUME,
                "192.0.2.1 storage.googleapis.com example.com",
                "192.0.2.2 metadata",
                "10.96.0.2 every name but storage.googleapis.com",
                "169.254.169.254 metadata.google.internal",
                MAIN,
            ],
        ),
        case(
            "no name of the metadata server is lacking",
            json!({
                "containers": [main],
                "hostAliases": [
                    { "ip": "192.0.2.2", "hostnames": ["metadata", "metadata.google.internal"] },
                ],
            }),
            &[
                VOLUME,
                "192.0.2.2 metadata metadata.google.internal",
                NAMES,
                MAIN,
            ],
        ),
        case(
            "another volume of the same name",
            json!({ "containers": [main], "volumes": [empty("x"), empty(VOLUMES[0])] }),
            &[
                "volume x: other",
                "volume sidestep-google-names: other",
                "volume sidestep-google-names-1: optional sidestep-google-names",
                NAMES,
                METADATA,
                "main: sidestep-google-names-1 here read-only, every variable",
            ],
        ),
        case(
            "other volumes of all our names: no change",
            json!({ "containers": [main], "volumes": VOLUMES.map(empty) }),
            &[
                "volume sidestep-google-names: other",
                "volume sidestep-google-names-1: other",
                "volume sidestep-google-names-2: other",
                "main: ",
            ],
        ),
        case(
            "our volume, mounted by the pod itself",
            json!({
                "containers": [{
                    "name": "main",
                    "volumeMounts": [{ "name": VOLUMES[0], "mountPath": FOLDER }],
                }],
                "volumes": [{ "name": VOLUMES[0], "configMap": { "name": OBJECT } }],
            }),
            &[
                "volume sidestep-google-names: sidestep-google-names",
                NAMES,
                METADATA,
                "main: sidestep-google-names here, every variable",
            ],
        ),
        case(
            "variables of its own, one of them twice",
            json!({
                "containers": [{
                    "name": "main",
                    "env": [
                        { "name": "SSL_CERT_FILE", "value": "/own" },
                        { "name": "A", "value": "1" },
                        { "name": "A", "value": "2" },
                        { "name": "NODE_EXTRA_CA_CERTS", "valueFrom": {
                            "fieldRef": { "fieldPath": "metadata.name" },
                        } },
                    ],
                }],
            }),
            &[
                VOLUME,
                NAMES,
                METADATA,
                "main: sidestep-google-names here read-only, own SSL_CERT_FILE, own A, own A, own \
                 NODE_EXTRA_CA_CERTS, every variable but SSL_CERT_FILE NODE_EXTRA_CA_CERTS",
            ],
        ),
        case(
            "something else in the bundle's folder: no variables there",
            json!({
                "containers": [own_mount, { "name": "second" }],
                "volumes": [empty("own")],
            }),
            &[
                "volume own: other",
                VOLUME,
                NAMES,
                METADATA,
                "main: own here",
                "second: sidestep-google-names here read-only, every variable",
            ],
        ),
    ]
}

/// Returns a pod with many containers and variables: expressions have a budget.
pub(super) fn large() -> Value {
    let variable = |number: u32| json!({ "name": format!("V{number}"), "value": "x" });
    let variables: Vec<Value> = (0..200).map(variable).collect();
    let container = |number: u32| json!({ "name": format!("c{number}"), "env": variables });
    let containers: Vec<Value> = (0..20).map(container).collect();
    case("many", json!({ "containers": containers }), &[]).pod
}
