use super::token::TOKEN_MOUNT;
use super::*;

#[test]
fn a_pod_is_filled_like_the_api_server_fills_it() {
    let mut pod = json!({ "metadata": { "name": "a" }, "spec": {
        "containers": [{ "name": "c", "image": "r.example:5000/i" },
                       { "name": "d", "image": "i:1", "resources": { "limits": { "cpu": "1" } } }],
        "volumes": [{ "name": "v" }, { "name": "w", "configMap": { "name": "c" } }],
    }});
    fill("pods", &mut pod);
    assert_eq!(pod["spec"]["containers"][0]["imagePullPolicy"], "Always");
    assert_eq!(
        pod["spec"]["containers"][1]["imagePullPolicy"],
        "IfNotPresent"
    );
    assert_eq!(
        pod["spec"]["containers"][1]["resources"]["requests"]["cpu"],
        "1"
    );
    assert_eq!(pod["spec"]["serviceAccountName"], "default");
    assert_eq!(
        pod["spec"]["volumes"],
        json!([{ "name": "v", "emptyDir": {} },
               { "name": "w", "configMap": { "name": "c", "defaultMode": 420 } }])
    );
    // An absent field is not set to null.
    assert!(!pod.to_string().contains("null"), "{pod}");
    assert_eq!(
        pod["status"],
        json!({ "phase": "Pending", "qosClass": "Burstable" })
    );
    mount_token(&mut pod, &json!({}));
    assert_eq!(
        pod["spec"]["containers"][0]["volumeMounts"][0]["mountPath"],
        TOKEN_MOUNT
    );
    let mut off = json!({ "spec": { "containers": [{}], "automountServiceAccountToken": false } });
    mount_token(&mut off, &json!({}));
    assert!(off["spec"]["volumes"].is_null());
}

#[test]
fn string_data_becomes_data() {
    let mut secret = json!({ "stringData": { "k": "v" } });
    fill("secrets", &mut secret);
    assert_eq!(secret, json!({ "type": "Opaque", "data": { "k": "dg==" } }));
}
