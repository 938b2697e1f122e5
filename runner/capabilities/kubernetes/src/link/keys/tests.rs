use std::io;
use std::sync::Mutex;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::Client;
use serde_json::{Value, json};
use sidestep_gate::Services;
use sidestep_gate_testing::state_with;
use sidestep_policy::Capability;
use wit::Host as _;

use super::*;

const CLUSTER: &str = "test";
const BODY: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";

fn key() -> String {
    let private =
        format!("-----BEGIN PRIVATE KEY-----\n{BODY}\n{BODY}\n-----END PRIVATE KEY-----\n");
    json!({
        "type": "service_account", "project_id": "demo", "private_key_id": "0a1b2c3d",
        "private_key": private, "client_email": "app@demo.iam.gserviceaccount.com",
    })
    .to_string()
}

/// Returns an API server that answers each request with this, and counts them.
fn server(code: u16, answer: Value) -> (Client, Arc<Mutex<usize>>) {
    let requests = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&requests);
    let service = tower::service_fn(move |_: http::Request<kube::client::Body>| {
        let answer = answer.to_string();
        *counted.lock().expect("no panic") += 1;
        async move {
            let answer = http::Response::builder()
                .status(code)
                .body(Body::from(answer));
            Ok::<_, io::Error>(answer.expect("a response"))
        }
    });
    (Client::new(service, "builds"), requests)
}

fn object(resource: &str) -> wit::ObjectRef {
    wit::ObjectRef {
        cluster: CLUSTER.to_owned(),
        api_version: "v1".to_owned(),
        resource: resource.to_owned(),
        namespace: Some("builds".to_owned()),
        name: "app-key".to_owned(),
    }
}

/// The answer's keys or the failure's code, whether the key is masked, and the number of requests.
type Told = (Result<Vec<String>, String>, bool, usize);

async fn ask(served: (Client, Arc<Mutex<usize>>), resource: &str, actions: Value) -> Told {
    let granted = json!([{
        "cluster": CLUSTER, "namespace": "builds", "resources": [resource], "actions": actions,
    }]);
    let (client, requests) = served;
    let services = Services::default().with(Arc::new(Clusters::of(CLUSTER, client)));
    let (state, _) = state_with(&[(Capability::Kubernetes, granted)], services);
    let masks = Arc::clone(&state.step.masks);
    let mut answers = Calls(state)
        .key_facts(vec![object(resource)])
        .await
        .expect("no trap");
    let keys = answers.pop().expect("one answer").map(|keys| {
        // The whole answer: what a plugin gets.
        keys.iter().map(|key| format!("{key:?}")).collect()
    });
    let masked = masks.found_in(&format!("{BODY}\n{BODY}"));
    let requests = *requests.lock().expect("no panic");
    (keys.map_err(|failure| failure.code), masked, requests)
}

/// Asks for the keys of a Secret as a step that may.
pub(crate) async fn keys_of(
    client: Client,
    namespace: &str,
    name: &str,
) -> Result<Vec<wit::EntryKey>, WitFailure> {
    let granted = json!([{
        "cluster": CLUSTER, "namespace": namespace, "resources": ["secrets"],
        "actions": ["keyFacts"],
    }]);
    let services = Services::default().with(Arc::new(Clusters::of(CLUSTER, client)));
    let (state, _) = state_with(&[(Capability::Kubernetes, granted)], services);
    let secret = wit::ObjectRef {
        namespace: Some(namespace.to_owned()),
        name: name.to_owned(),
        ..object("secrets")
    };
    let answers = Calls(state).key_facts(vec![secret]).await;
    answers.expect("no trap").pop().expect("one answer")
}

fn secret() -> Value {
    let auth = STANDARD.encode(format!("_json_key:{}", key()));
    let docker = json!({ "auths": { "europe-docker.pkg.dev": { "auth": auth } } });
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "app-key" },
        "data": {
            "key.json": STANDARD.encode(key()),
            "config.json": STANDARD.encode(docker.to_string()),
            "password": STANDARD.encode("correct-horse"),
        },
    })
}

#[tokio::test]
async fn a_plugin_learns_which_keys_a_secret_holds_and_none_of_its_bytes() {
    let (keys, masked, _) = ask(server(200, secret()), "secrets", json!(["keyFacts"])).await;
    let keys = keys.expect("an answer");
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in &keys {
        assert!(key.contains("service-account-key"), "{key}");
        assert!(key.contains("app@demo.iam.gserviceaccount.com"), "{key}");
        assert!(key.contains("0a1b2c3d"), "{key}");
        assert!(
            !key.contains(BODY) && !key.contains("correct-horse"),
            "{key}"
        );
    }
    assert!(keys[0].contains("europe-docker.pkg.dev"), "{keys:?}");
    assert!(masked, "the key is masked");
}

#[tokio::test]
async fn key_facts_denied_without_the_action() {
    for actions in [json!(["get", "list"]), json!(["registryLogins"]), json!([])] {
        let (refused, masked, requests) = ask(server(200, secret()), "secrets", actions).await;
        assert_eq!(refused.expect_err("refused"), "grant.scope");
        assert_eq!((masked, requests), (false, 0));
    }
}

#[tokio::test]
async fn only_secrets_are_searched() {
    let (refused, _, requests) = ask(server(200, secret()), "pods", json!(["keyFacts"])).await;
    assert_eq!(refused.expect_err("refused"), "kubernetes.invalid");
    assert_eq!(requests, 0);
}

#[tokio::test]
async fn a_cluster_that_refuses_is_told_as_such() {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403,
        "reason": "Forbidden", "message": "secrets \"app-key\" is forbidden",
    });
    let (failure, ..) = ask(server(403, status), "secrets", json!(["keyFacts"])).await;
    assert_eq!(failure.expect_err("denied"), "kubernetes.forbidden");
}
