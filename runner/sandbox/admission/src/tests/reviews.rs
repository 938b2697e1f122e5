//! Answers of the webhook.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::names;
use crate::{NotAReview, patch, review};

fn request(operation: &str, kind: &Value) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5", "kind": kind, "operation": operation,
            "object": { "spec": { "containers": [{ "name": "main" }] } },
        },
    })
}

#[test]
fn a_new_pod_is_allowed_with_the_patch() {
    let kind = json!({ "group": "", "version": "v1", "kind": "Pod" });
    let asked = request("CREATE", &kind);
    let answer = review(&asked, &names()).unwrap();
    assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(answer["kind"], "AdmissionReview");
    let response = &answer["response"];
    assert_eq!(response["uid"], "705ab4f5");
    assert_eq!(response["allowed"], true);
    assert_eq!(response["patchType"], "JSONPatch");
    let bytes = STANDARD
        .decode(response["patch"].as_str().unwrap())
        .unwrap();
    let operations: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        operations,
        json!(patch(&asked["request"]["object"], &names()))
    );
    assert_eq!(
        operations[0],
        json!({ "op": "add", "path": "/spec/volumes", "value": [] })
    );
}

#[test]
fn everything_else_is_allowed_unchanged() {
    let pod = json!({ "group": "", "version": "v1", "kind": "Pod" });
    let job = json!({ "group": "batch", "version": "v1", "kind": "Job" });
    for (operation, kind) in [("UPDATE", &pod), ("CREATE", &job)] {
        let answer = review(&request(operation, kind), &names()).unwrap();
        let expected = json!({ "uid": "705ab4f5", "allowed": true });
        assert_eq!(answer["response"], expected, "{operation} {kind}");
    }
}

#[test]
fn what_is_not_a_review_is_not_answered() {
    let kind = json!({ "group": "", "version": "v1", "kind": "Pod" });
    let whole = request("CREATE", &kind);
    for (pointer, value) in [
        ("/apiVersion", json!("admission.k8s.io/v1beta1")),
        ("/kind", json!("Pod")),
        ("/request", json!(null)),
        ("/request/uid", json!("")),
        ("/request/uid", json!(7)),
    ] {
        let mut broken = whole.clone();
        *broken.pointer_mut(pointer).unwrap() = value;
        assert_eq!(review(&broken, &names()), Err(NotAReview), "{pointer}");
    }
    assert_eq!(review(&json!([]), &names()), Err(NotAReview));
}
