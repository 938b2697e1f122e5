use std::time::Duration;

use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, PostParams};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::error::Error;
use crate::names::FOLDER;

/// The time between two probes.
const PAUSE: Duration = Duration::from_millis(100);

/// Returns whether new pods of a namespace get the names, and waits for it for some time: the API
/// server follows an installation after up to a few seconds.
///
/// It asks by a pod that is not created (a dry run).
///
/// # Errors
/// If the API server refuses the pod.
pub async fn is_in_force(
    client: &Client,
    namespace: &str,
    within: Duration,
) -> Result<bool, Error> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Pod"));
    let pods: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let mut pod = DynamicObject::new("sidestep-google-names-probe", &resource);
    pod.data = json!({ "spec": spec() });
    let dry_run = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let end = Instant::now() + within;
    loop {
        let answer = pods.create(&dry_run, &pod).await;
        let answer = answer.map_err(Error::api(format!("try a pod in namespace `{namespace}`")))?;
        if is_changed(&answer.data) {
            return Ok(true);
        }
        if Instant::now() >= end {
            return Ok(false);
        }
        sleep(PAUSE).await;
    }
}

/// Returns a pod that every level of the Pod Security Standards accepts. Its resources are stated,
/// since a quota on them refuses a pod without.
fn spec() -> Value {
    let resources = json!({ "cpu": "1m", "memory": "4Mi", "ephemeral-storage": "1Mi" });
    json!({
        "automountServiceAccountToken": false,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": 65534,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "containers": [{
            "name": "probe",
            "image": "probe.invalid/probe:1",
            "resources": { "requests": resources, "limits": resources },
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "capabilities": { "drop": ["ALL"] },
            },
        }],
    })
}

fn is_changed(pod: &Value) -> bool {
    let mounts = pod["spec"]["containers"][0]["volumeMounts"].as_array();
    mounts.is_some_and(|mounts| mounts.iter().any(|mount| mount["mountPath"] == FOLDER))
}
