use serde_json::{Value, json};
use sidestep_policy::{Capability, Reading, Scope};

fn scope(more: Value) -> Scope {
    let mut scope = json!({
        "cluster": "c", "namespace": "builds", "resources": ["pods"], "actions": ["create"],
        "serviceAccounts": ["kaniko"], "images": ["ghcr.io/x/kaniko@*"], "secrets": ["known"],
    });
    for (key, value) in more.as_object().expect("a map") {
        scope[key] = value.clone();
    }
    Scope::parse(Capability::Kubernetes, &scope, Reading::Grant).expect("a scope")
}

fn pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "p", "labels": { "a": "b" } },
        "spec": {
            "serviceAccountName": "kaniko", "restartPolicy": "Never",
            "containers": [{
                "name": "kaniko", "image": "ghcr.io/x/kaniko@sha256:ab", "args": ["--x"],
                "env": [{ "name": "A", "valueFrom": { "secretKeyRef": { "name": "known", "key": "k" } } }],
                "resources": { "limits": { "memory": "1Gi" } },
                "securityContext": { "capabilities": { "drop": ["ALL"], "add": ["CHOWN"] } },
            }],
            "volumes": [{ "name": "w", "emptyDir": {} }, { "name": "s", "secret": { "secretName": "own" } }],
        },
    })
}

#[test]
fn a_pod_within_its_scope_passes() {
    assert_eq!(scope(json!({})).admits_pod(&pod(), &["own"]), Ok(()));
    assert_eq!(
        scope(json!({ "limits": { "memory": "1Gi" } })).admits_pod(&pod(), &["own"]),
        Ok(())
    );
}

#[test]
fn every_field_that_is_not_known_or_not_named_is_refused() {
    let table: &[(&str, Value)] = &[
        ("/spec/hostNetwork", json!(true)),
        ("/spec/hostPID", json!(true)),
        ("/spec/hostIPC", json!(true)),
        ("/spec/nodeName", json!("n")),
        ("/spec/ephemeralContainers", json!([])),
        ("/spec/serviceAccountName", json!("default")),
        ("/spec/serviceAccount", json!("admin")),
        ("/spec/somethingNew", json!(1)),
        (
            "/spec/volumes/0",
            json!({ "name": "h", "hostPath": { "path": "/" } }),
        ),
        (
            "/spec/volumes/0",
            json!({ "name": "h", "persistentVolumeClaim": { "claimName": "x" } }),
        ),
        (
            "/spec/volumes/0",
            json!({ "name": "h", "secret": { "secretName": "other" } }),
        ),
        (
            "/spec/volumes/0",
            json!({ "name": "h", "configMap": { "name": "cm" } }),
        ),
        (
            "/spec/volumes/0",
            json!({ "name": "h", "projected": { "sources": [{ "serviceAccountToken": { "audience": "x", "path": "t" } }] } }),
        ),
        (
            "/spec/volumes/0",
            json!({ "name": "h", "projected": { "sources": [{ "serviceAccountToken": { "path": "t" } }] } }),
        ),
        ("/spec/containers/0/image", json!("ghcr.io/x/kaniko:latest")),
        (
            "/spec/containers/0/image",
            json!("evil.example/ghcr.io/x/kaniko@sha256:ab"),
        ),
        (
            "/spec/containers/0/securityContext",
            json!({ "privileged": true }),
        ),
        (
            "/spec/containers/0/securityContext",
            json!({ "capabilities": { "add": ["SYS_ADMIN"] } }),
        ),
        (
            "/spec/containers/0/securityContext",
            json!({ "seccompProfile": { "type": "Unconfined" } }),
        ),
        (
            "/spec/containers/0/ports",
            json!([{ "containerPort": 1, "hostPort": 1 }]),
        ),
        ("/spec/containers/0/lifecycle", json!({})),
        (
            "/spec/containers/0/env",
            json!([{ "name": "A", "valueFrom": { "secretKeyRef": { "name": "other", "key": "k" } } }]),
        ),
        (
            "/spec/containers/0/envFrom",
            json!([{ "secretRef": { "name": "other" } }]),
        ),
        ("/spec/containers/0/volumeDevices", json!([])),
        ("/spec/imagePullSecrets", json!([{ "name": "other" }])),
        (
            "/spec/initContainers",
            json!([{ "name": "i", "image": "other" }]),
        ),
        ("/spec/containers", json!("text")),
        (
            "/metadata/annotations",
            json!({ "container.apparmor.security.beta.kubernetes.io/kaniko": "unconfined" }),
        ),
        ("/metadata/ownerReferences", json!([])),
        ("/status", json!({})),
    ];
    for (at, value) in table {
        let mut pod = pod();
        let (parent, key) = at.rsplit_once('/').expect("a pointer");
        match pod.pointer_mut(parent).expect("its parent") {
            Value::Array(items) => items[key.parse::<usize>().expect("an index")] = value.clone(),
            parent => parent[key] = value.clone(),
        }
        assert!(
            scope(json!({})).admits_pod(&pod, &["own"]).is_err(),
            "{at}: {value}"
        );
    }
}

#[test]
fn amounts_have_a_ceiling() {
    let refusal = scope(json!({ "limits": { "memory": "512Mi" } }))
        .admits_pod(&pod(), &["own"])
        .expect_err("too much");
    assert_eq!(refusal.field, "spec.containers[0].resources.limits.memory");
    assert!(
        scope(json!({ "limits": { "cpu": "1" } }))
            .admits_pod(&pod(), &["own"])
            .is_err(),
        "unsaid is unlimited"
    );
}
