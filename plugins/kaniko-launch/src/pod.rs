//! The pod that builds.

use std::time::Duration;

use sidestep::serde_json::{Value, json};

use crate::flags::{arguments, environment};
use crate::inputs::{GoogleKey, Inputs};
use crate::placement;
use crate::resources::resources;

/// The container's name, under which its log is kept.
pub(crate) const CONTAINER: &str = "kaniko";
/// The file in which the kubelet reads a container's termination message, and so the digest.
pub(crate) const LAST_WORDS: &str = "/dev/termination-log";
/// The folder of a key in the container. kaniko leaves mounts out of the image.
const KEYS: &str = "/var/run/secrets/google";
/// The volume that a key comes in.
pub(crate) const VOLUME: &str = "google-key";
/// The key's file in that folder, under any name in the Secret.
const KEY_FILE: &str = "key.json";
/// The limit of a build whose step has no `timeout`.
const LONGEST: Duration = Duration::from_hours(6);
/// The time that the build's processes get to end.
const GRACE: Duration = Duration::from_secs(5);
/// The time that the pod may outlive the step, so that the step ends first and reports why.
const MARGIN: Duration = Duration::from_mins(1);

/// Returns the pod's object. `remaining` is the rest of the step's time.
pub(crate) fn pod(name: &str, inputs: &Inputs, remaining: Option<Duration>) -> Value {
    let deadline = remaining.map_or(LONGEST, |time| time + MARGIN);
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": inputs.namespace,
            "labels": { "app.kubernetes.io/name": "kaniko-launch" },
        },
        "spec": {
            "serviceAccountName": inputs.service_account,
            "restartPolicy": "Never",
            // Whatever becomes of the runner, the cluster ends the build.
            "activeDeadlineSeconds": deadline.as_secs(),
            // kaniko has nothing to finish: a longer grace only delays clean-up.
            "terminationGracePeriodSeconds": GRACE.as_secs(),
            // The build's identity comes from the metadata server; it asks the cluster nothing.
            "automountServiceAccountToken": false,
            "nodeSelector": inputs.node_selector,
            "containers": [{
                "name": CONTAINER,
                "image": inputs.executor.as_str(),
                "args": arguments(inputs),
                "terminationMessagePath": LAST_WORDS,
                "terminationMessagePolicy": "FallbackToLogsOnError",
                "resources": resources(inputs),
                "securityContext": {
                    // kaniko unpacks images as root, and needs nothing beyond that.
                    "allowPrivilegeEscalation": false,
                    "seccompProfile": { "type": "RuntimeDefault" },
                },
            }],
        },
    });
    let env = environment(&inputs.kaniko).into_iter();
    let mut env: Vec<Value> = env
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    if let Some(key) = &inputs.google_key {
        mount(key, &mut pod["spec"]);
        // Google's libraries look here before they ask the metadata server.
        env.push(json!({
            "name": "GOOGLE_APPLICATION_CREDENTIALS", "value": format!("{KEYS}/{KEY_FILE}"),
        }));
    }
    if !env.is_empty() {
        pod["spec"]["containers"][0]["env"] = env.into();
    }
    placement::place(&mut pod, inputs);
    pod
}

/// Gives the container a key's file, and no more of its Secret.
fn mount(key: &GoogleKey, spec: &mut Value) {
    spec["volumes"] = json!([{
        "name": VOLUME,
        "secret": {
            "secretName": key.secret,
            "items": [{ "key": key.key, "path": KEY_FILE }],
            "defaultMode": 0o400,
        },
    }]);
    let container = &mut spec["containers"][0];
    container["volumeMounts"] = json!([{
        "name": VOLUME, "mountPath": KEYS, "readOnly": true,
    }]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::example;

    #[test]
    fn a_key_is_mounted_alone_and_read_only() {
        let inputs = example(&json!({ "googleKey": { "secret": "s", "key": "builder.json" } }));
        let keyed = pod("p", &inputs, None);
        let secret = &keyed["spec"]["volumes"][0]["secret"];
        assert_eq!(
            secret["items"],
            json!([{ "key": "builder.json", "path": "key.json" }])
        );
        let container = &keyed["spec"]["containers"][0];
        assert_eq!(container["volumeMounts"][0]["readOnly"], true);
        assert_eq!(
            container["env"][0]["value"],
            "/var/run/secrets/google/key.json"
        );
        let spec = &pod("p", &example(&json!({})), None)["spec"];
        assert!(spec["volumes"].is_null() && spec["containers"][0]["env"].is_null());
    }

    #[test]
    fn the_cluster_ends_the_build_after_the_step_would_have() {
        let inputs = example(&json!({ "memory": "2Gi" }));
        let pod = pod("p", &inputs, Some(Duration::from_mins(10)));
        assert_eq!(pod["spec"]["activeDeadlineSeconds"], 660);
        assert_eq!(
            pod["spec"]["containers"][0]["resources"]["limits"]["memory"],
            "2Gi"
        );
    }
}
