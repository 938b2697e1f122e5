//! Reaches for another client's Secret in a cluster. `texts` are the cluster and the Secret's text.

use serde_json::{Value, json};
use sidestep::kubernetes::{self, CreateOptions, ListQuery, ObjectRef, SecretData};
use sidestep::{Result, Step};

use crate::Inputs;

const NAMESPACE: &str = "builds";
const SECRET: &str = "db-password";

pub(crate) fn run(_: &Step, inputs: &Inputs) -> Option<Result<String>> {
    let cluster = inputs.texts.first().map_or("", String::as_str);
    let text = inputs.texts.get(1).map_or("", String::as_str);
    Some(match inputs.act.as_str() {
        "cluster.keep-secret" => keep_secret(cluster, text),
        "cluster.read-secret" => {
            let secret = kubernetes::get(at(cluster, "secrets", SECRET));
            secret.map(|secret| secret.to_string())
        }
        "cluster.pod-with-secret" => pod_with_secret(cluster),
        "cluster.pods" => pods(cluster),
        "cluster.subresource" => {
            let log = kubernetes::get(at(cluster, "pods/log", "build"));
            log.map(|log| log.to_string())
        }
        _ => return None,
    })
}

fn at(cluster: &str, resource: &str, name: &str) -> ObjectRef {
    ObjectRef {
        cluster: cluster.to_owned(),
        api_version: "v1".to_owned(),
        resource: resource.to_owned(),
        namespace: Some(NAMESPACE.to_owned()),
        name: name.to_owned(),
    }
}

/// Creates the Secret, with a copy of it in an annotation, as `kubectl apply` makes one.
fn keep_secret(cluster: &str, text: &str) -> Result<String> {
    let data = json!({ "password": text });
    let applied = "kubectl.kubernetes.io/last-applied-configuration";
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "annotations": { applied: data.to_string() } },
        "stringData": data,
    });
    let options = CreateOptions::permanent();
    kubernetes::create(&at(cluster, "secrets", SECRET), &secret, &options)?;
    Ok("kept".to_owned())
}

/// Creates a pod that names the Secret as its own, and prints it.
fn pod_with_secret(cluster: &str) -> Result<String> {
    let secret = json!({ "secretKeyRef": { "name": SECRET, "key": "password" } });
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "spec": {
            "serviceAccountName": "kaniko", "restartPolicy": "Never",
            "containers": [{
                "name": "main", "image": "example.com/shell:1", "args": ["env"],
                "env": [{ "name": "PASSWORD", "valueFrom": secret }],
            }],
        },
    });
    let options = CreateOptions {
        secret_data: vec![SecretData {
            name: SECRET.to_owned(),
            secret_type: "Opaque".to_owned(),
            entries: Vec::new(),
        }],
        ..CreateOptions::permanent()
    };
    let made = kubernetes::create(&at(cluster, "pods", "thief"), &pod, &options)?;
    Ok(made.object.to_string())
}

fn pods(cluster: &str) -> Result<String> {
    let listed = kubernetes::list(ListQuery {
        cluster: cluster.to_owned(),
        api_version: "v1".to_owned(),
        resource: "pods".to_owned(),
        namespace: Some(NAMESPACE.to_owned()),
        label_selector: None,
        field_selector: None,
        max: 10,
    })?;
    let names = listed
        .items
        .iter()
        .map(|pod| pod["metadata"]["name"].clone());
    Ok(names.collect::<Value>().to_string())
}
