use super::*;
use crate::defaults;
use crate::kinds::core_kind;
use serde_json::json;

fn judged(mut pod: Value) -> String {
    defaults::fill("pods", &mut pod);
    create(core_kind("pods"), &pod).map_or_else(|e| e.to_string(), |()| String::new())
}

#[test]
fn pods_are_refused_in_the_servers_words() {
    let error = judged(json!({ "metadata": { "name": "Bad" }, "spec": { "containers": [] } }));
    assert!(error.starts_with(
        "Pod \"Bad\" is invalid: [metadata.name: Invalid value: \"Bad\": a lowercase RFC 1123 subdomain"
    ), "{error}");
    assert!(
        error.ends_with("spec.containers: Required value]"),
        "{error}"
    );
    let error = judged(json!({ "metadata": { "name": "a" }, "spec": {
        "restartPolicy": "Sometimes",
        "containers": [{ "name": "c", "image": "i", "volumeMounts": [{ "name": "v", "mountPath": "/v" }] }],
    }}));
    assert_eq!(
        error,
        "Pod \"a\" is invalid: [spec.containers[0].volumeMounts[0].name: Not found: \"v\", \
        spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", \"Never\"]"
    );
    assert_eq!(
        judged(
            json!({ "metadata": { "name": "a" }, "spec": { "containers": [{ "name": "c", "image": "i" }] } })
        ),
        ""
    );
}

#[test]
fn only_some_of_a_pod_may_change() {
    let pods = core_kind("pods");
    let old = json!({ "metadata": { "name": "a" }, "spec": { "containers": [{ "name": "c", "image": "1" }] } });
    let mut new = old.clone();
    new["spec"]["containers"][0]["image"] = "2".into();
    assert!(update(pods, &old, &new).is_ok());
    new["spec"]["containers"][0]["command"] = json!(["x"]);
    let error = update(pods, &old, &new).expect_err("immutable").to_string();
    assert!(
        error.starts_with(
            "Pod \"a\" is invalid: spec: Forbidden: pod updates may not change fields other than"
        ),
        "{error}"
    );
}
