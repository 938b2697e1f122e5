//! The pod that builds.

use std::time::Duration;

use sidestep::serde_json::{Value, json};
use sidestep_pod::{GRACE, LAST_WORDS, add, deadline, resources, wait_for_identity};

use crate::flags::{arguments, environment};
use crate::inputs::{GoogleKey, Inputs};
use crate::logins;

/// The address of the metadata server (Google Cloud, "About VM metadata").
const METADATA: &str = "169.254.169.254";
/// The container's name, under which its log is kept.
pub(crate) const CONTAINER: &str = "kaniko";
/// The capabilities that kaniko and most RUNs need: to give files any owner and mode, and to become
/// another user. They are a part of a container's default ones, and of those that Pod Security's
/// `baseline` allows.
const CAPABILITIES: [&str; 9] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "SETFCAP",
    "SETGID",
    "SETUID",
];
/// The folder of a key in the container. kaniko leaves mounts out of the image.
const KEYS: &str = "/var/run/secrets/google";
/// The volume that a key comes in.
pub(crate) const VOLUME: &str = "google-key";
/// The key's file in that folder, under any name in the Secret.
const KEY_FILE: &str = "key.json";

/// Returns the pod's object. `remaining` is the rest of the step's time.
pub(crate) fn pod(name: &str, inputs: &Inputs, remaining: Option<Duration>) -> Value {
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
            "activeDeadlineSeconds": deadline(remaining),
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
                "resources": resources(inputs.resources()),
                "securityContext": {
                    // kaniko unpacks images as root, and needs nothing beyond that.
                    "allowPrivilegeEscalation": false,
                    "capabilities": { "drop": ["ALL"], "add": CAPABILITIES },
                    "seccompProfile": { "type": "RuntimeDefault" },
                },
            }],
        },
    });
    let env = environment(inputs).into_iter();
    let mut env: Vec<Value> = env
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    if let Some(key) = &inputs.google_key {
        mount(key, &mut pod["spec"]);
        // Google's libraries look here before they ask the metadata server.
        env.push(json!({
            "name": "GOOGLE_APPLICATION_CREDENTIALS", "value": format!("{KEYS}/{KEY_FILE}"),
        }));
    } else if inputs.cluster.project().is_none() {
        // No metadata server is expected on the nodes of other clusters than GKE's.
    } else if let Some(helper) = &inputs.helper_image {
        pod["spec"]["initContainers"] = json!([wait_for_identity(helper, inputs.resources())]);
    } else {
        // kaniko takes a GKE node whose metadata server is late for a machine outside of Google
        // Cloud, unless it is told the address.
        env.push(json!({ "name": "GCE_METADATA_HOST", "value": METADATA }));
    }
    if let Some((volume, mount, variable)) = logins::mounted(inputs) {
        add(&mut pod["spec"]["volumes"], volume);
        add(&mut pod["spec"]["containers"][0]["volumeMounts"], mount);
        env.push(variable);
    }
    if !env.is_empty() {
        pod["spec"]["containers"][0]["env"] = env.into();
    }
    inputs.placement().place(&mut pod);
    pod
}

/// Gives the container a key's file, and no more of its Secret.
fn mount(key: &GoogleKey, spec: &mut Value) {
    let volume = json!({
        "name": VOLUME,
        "secret": {
            "secretName": key.secret,
            "items": [{ "key": key.key, "path": KEY_FILE }],
            "defaultMode": 0o400,
        },
    });
    add(&mut spec["volumes"], volume);
    let mount = json!({ "name": VOLUME, "mountPath": KEYS, "readOnly": true });
    add(&mut spec["containers"][0]["volumeMounts"], mount);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::example;

    #[test]
    fn the_metadata_server_is_waited_for_or_its_address_is_set() {
        let spec = |more: &Value| pod("p", &example(more), None)["spec"].clone();
        let env = |spec: &Value| spec["containers"][0]["env"].clone();
        let alone = spec(&json!({}));
        let address = json!([{ "name": "GCE_METADATA_HOST", "value": "169.254.169.254" }]);
        assert_eq!(env(&alone), address);
        assert!(alone["initContainers"].is_null());
        let helped = spec(&json!({ "helperImage": "example.com/sidestep:1" }));
        assert!(env(&helped).is_null());
        let init = &helped["initContainers"][0];
        assert_eq!(init["image"], "example.com/sidestep:1");
        assert_eq!(init["args"], json!(["pod", "wait-for-identity"]));
        let keyed = spec(&json!({
            "helperImage": "example.com/sidestep:1", "googleKey": { "secret": "s" },
        }));
        assert!(keyed["initContainers"].is_null());
        let elsewhere = spec(&json!({
            "cluster": "staging", "helperImage": "example.com/sidestep:1",
        }));
        assert!(env(&elsewhere).is_null());
        assert!(elsewhere["initContainers"].is_null());
    }

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
        assert!(spec["volumes"].is_null());
    }

    #[test]
    fn a_key_and_registry_credentials_are_mounted_beside_each_other() {
        let both = json!({ "googleKey": { "secret": "s" }, "registrySecret": "registry" });
        let spec = &pod("p", &example(&both), None)["spec"];
        let names = |list: &Value| -> Vec<String> {
            let list = list.as_array().expect("a list").iter();
            list.map(|one| one["name"].as_str().expect("a name").to_owned())
                .collect()
        };
        assert_eq!(names(&spec["volumes"]), ["google-key", "registry-login"]);
        let container = &spec["containers"][0];
        assert_eq!(
            names(&container["volumeMounts"]),
            ["google-key", "registry-login"]
        );
        assert_eq!(
            names(&container["env"]),
            ["GOOGLE_APPLICATION_CREDENTIALS", "DOCKER_CONFIG"]
        );
    }

    #[test]
    fn pod_security_s_baseline_accepts_the_pod_on_a_cluster() {
        let Some(cluster) = sidestep_cluster_testing::api() else {
            return;
        };
        let namespace = cluster.namespace();
        let level = "pod-security.kubernetes.io/enforce=baseline";
        cluster.ok(&["label", "namespace", namespace.name(), level]);
        namespace.ok(&["create", "serviceaccount", "kaniko"]);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pod.json");
        let create = |pod: &Value| {
            std::fs::write(&file, pod.to_string()).expect("written");
            let file = file.to_str().expect("text");
            let created = namespace.kubectl(&["create", "--dry-run=server", "--filename", file]);
            String::from_utf8_lossy(&created.stderr).into_owned()
        };
        let inputs = example(&json!({
            "namespace": namespace.name(), "registrySecret": "registry",
            "googleKey": { "secret": "s" }, "memory": "2Gi",
        }));
        let mut object = pod("p", &inputs, None);
        crate::build_secrets::mount("secrets-1", &mut object);
        assert_eq!(create(&object), "");
        // The label counts.
        object["spec"]["containers"][0]["securityContext"]["capabilities"]["add"] =
            json!(["NET_RAW"]);
        let refused = create(&object);
        assert!(
            refused.contains("violates PodSecurity \"baseline"),
            "{refused}"
        );
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
}
