use super::*;
use crate::inputs::example;

fn spec(more: &Value) -> Value {
    pod("p", "s", &example(more), None)["spec"].clone()
}

#[test]
fn secrets_are_references_to_the_pod_s_own_secret() {
    let spec = spec(&json!({
        "env": { "MODE": "$(fast)" },
        "secretEnv": { "TOKEN": "hookToken" },
        "secretFiles": { "key.pem": "key" },
    }));
    let container = &spec["containers"][0];
    assert_eq!(
        container["env"],
        json!([
            { "name": "MODE", "value": "$$(fast)" },
            { "name": "SIDESTEP_OUTPUTS", "value": "/dev/termination-log" },
            { "name": "TOKEN", "valueFrom": { "secretKeyRef": { "name": "s", "key": "hookToken" } } },
        ])
    );
    assert_eq!(
        spec["volumes"][0]["secret"]["items"],
        json!([{ "key": "key", "path": "key.pem" }])
    );
    assert_eq!(spec["volumes"][0]["secret"]["secretName"], "s");
    assert_eq!(
        container["volumeMounts"][0]["mountPath"],
        "/run/secrets/sidestep"
    );
}

#[test]
fn a_pod_has_no_more_privileges_than_its_inputs_name() {
    let plain = spec(&json!({}));
    assert_eq!(plain["serviceAccountName"], "default");
    assert_eq!(plain["automountServiceAccountToken"], false);
    assert_eq!(
        plain["containers"][0]["securityContext"],
        json!({ "seccompProfile": { "type": "RuntimeDefault" }, "allowPrivilegeEscalation": false })
    );
    for field in ["initContainers", "volumes", "imagePullSecrets"] {
        assert!(plain[field].is_null(), "{field}");
    }
    let more = spec(&json!({
        "capabilities": { "add": ["SYS_ADMIN"], "drop": ["ALL"] },
        "seccompProfile": "Unconfined",
        "user": 1000,
    }));
    assert_eq!(
        more["containers"][0]["securityContext"],
        json!({
            "seccompProfile": { "type": "Unconfined" },
            "capabilities": { "add": ["SYS_ADMIN"], "drop": ["ALL"] },
            "runAsUser": 1000,
        })
    );
}

#[test]
fn sidecars_start_before_the_command_and_keep_running() {
    let spec = spec(&json!({
        "sidecars": [{ "name": "db", "image": "postgres:17", "env": { "A": "b" }, "memory": "1Gi" }],
        "imagePullSecrets": ["registry"],
    }));
    let sidecar = &spec["initContainers"][0];
    assert_eq!(sidecar["restartPolicy"], "Always");
    assert_eq!(sidecar["env"], json!([{ "name": "A", "value": "b" }]));
    assert_eq!(sidecar["resources"]["limits"]["memory"], "1Gi");
    assert!(sidecar["command"].is_null());
    assert_eq!(spec["imagePullSecrets"], json!([{ "name": "registry" }]));
}

#[test]
fn only_a_pod_with_an_identity_waits_for_it() {
    let served = json!({ "iam.gke.io/gke-metadata-server-enabled": "true" });
    let sidecars = json!([{ "name": "db", "image": "postgres:17" }]);
    let mut inputs = json!({ "helperImage": "example.com/sidestep:1", "sidecars": sidecars });
    let init = |inputs: &Value| -> Vec<String> {
        let spec = spec(inputs);
        let init = spec["initContainers"].as_array().expect("some").iter();
        init.map(|one| one["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(init(&inputs), ["db"]);
    inputs["nodeSelector"] = served;
    assert_eq!(init(&inputs), ["sidestep-identity", "db"]);
}

#[test]
fn a_context_is_unpacked_into_the_working_folder_before_the_sidecars_start() {
    let inputs = json!({
        "helperImage": "example.com/sidestep:1", "context": "gs://b/c/ctx1-0-p3.tar.gz",
        "contextFolder": "/workspace", "user": 1000, "secretFiles": { "token": "t" },
        "sidecars": [{ "name": "db", "image": "postgres:17" }],
    });
    let spec = spec(&inputs);
    let init = spec["initContainers"].as_array().expect("a list");
    let names: Vec<&Value> = init.iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["sidestep-context", "db"]);
    assert_eq!(init[0]["securityContext"]["runAsUser"], 1000);
    let container = &spec["containers"][0];
    assert_eq!(container["workingDir"], "/workspace");
    let mounts = container["volumeMounts"].as_array().expect("a list");
    let mounts: Vec<&Value> = mounts.iter().map(|one| &one["mountPath"]).collect();
    assert_eq!(mounts, ["/workspace", "/run/secrets/sidestep"]);
    assert_eq!(
        spec["volumes"][0],
        json!({ "name": "sidestep-context", "emptyDir": {} })
    );
}
