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
const PASSWORD: &str = "correct-horse";

/// Returns an API server with one Secret, which counts its requests.
fn server(secret: Value) -> (Client, Arc<Mutex<usize>>) {
    let requests = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&requests);
    let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
        let secret = secret.clone();
        *counted.lock().expect("no panic") += 1;
        async move {
            let name = request.uri().path().rsplit('/').next().unwrap_or_default();
            let (code, answer) = if secret["metadata"]["name"] == name {
                (200, secret)
            } else {
                let status = json!({
                    "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404,
                    "reason": "NotFound", "message": "not found", "details": { "name": name },
                });
                (404, status)
            };
            let answer = http::Response::builder()
                .status(code)
                .body(Body::from(answer.to_string()));
            Ok::<_, io::Error>(answer.expect("a response"))
        }
    });
    (Client::new(service, "builds"), requests)
}

fn secret(kind: &str, document: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": { "name": "registry" },
        "data": { ".dockerconfigjson": STANDARD.encode(document) },
    })
}

fn document() -> String {
    let entry = json!({ "auth": STANDARD.encode(format!("ci:{PASSWORD}")) });
    json!({ "auths": { "ghcr.io": entry } }).to_string()
}

/// Reads the credentials as a step with these Secrets in its grant. Returns the repositories that
/// they do not cover, or the failure's code and message.
async fn read(
    secret: Value,
    name: &str,
    granted: Value,
) -> (Result<Vec<String>, (String, String)>, bool, usize) {
    let granted = json!([{
        "cluster": CLUSTER, "namespace": "builds", "resources": ["secrets"],
        "actions": granted["actions"], "secrets": granted["secrets"],
    }]);
    let (client, requests) = server(secret);
    let services = Services::default().with(Arc::new(Clusters::of(CLUSTER, client)));
    let (state, _) = state_with(&[(Capability::Kubernetes, granted)], services);
    let masks = Arc::clone(&state.step.masks);
    let query = wit::LoginsQuery {
        cluster: CLUSTER.to_owned(),
        namespace: "builds".to_owned(),
        secret: name.to_owned(),
        repositories: vec!["ghcr.io/team/app".to_owned(), "quay.io/team/app".to_owned()],
    };
    let answer = match Calls(state).registry_logins(query).await {
        Ok(logins) => Ok(logins.missing),
        Err(CallError::Failure(failure)) => Err((
            failure.code.exact().to_owned(),
            failure.message.exact().to_owned(),
        )),
        Err(CallError::Trap(trap)) => panic!("{trap:?}"),
    };
    let masked = masks.found_in(PASSWORD) && masks.found_in(&document());
    let requests = *requests.lock().expect("no panic");
    (answer, masked, requests)
}

fn named() -> Value {
    json!({ "actions": ["registryLogins"], "secrets": ["registry"] })
}

#[tokio::test]
async fn a_secret_s_passwords_are_masked_and_what_it_lacks_is_named() {
    let (missing, masked, _) = read(secret(KIND, &document()), "registry", named()).await;
    assert_eq!(missing, Ok(vec!["quay.io/team/app".to_owned()]));
    assert!(masked);
}

#[tokio::test]
async fn only_a_secret_that_the_grant_names_is_read() {
    for granted in [
        json!({ "actions": ["registryLogins"], "secrets": ["other"] }),
        json!({ "actions": ["registryLogins"], "secrets": [] }),
        // This action never returned any data.
        json!({ "actions": ["get"], "secrets": ["registry"] }),
    ] {
        let (refused, masked, requests) =
            read(secret(KIND, &document()), "registry", granted.clone()).await;
        assert_eq!(refused.expect_err("refused").0, "grant.scope", "{granted}");
        assert_eq!((masked, requests), (false, 0));
    }
    let path = json!({ "actions": ["registryLogins"], "secrets": ["**"] });
    let (refused, _, requests) = read(secret(KIND, ""), "registry/../x", path).await;
    assert_eq!((refused.is_err(), requests), (true, 0));
}

#[tokio::test]
async fn what_is_no_such_secret_says_why_and_shows_nothing_of_it() {
    for (secret, code, why) in [
        (
            secret("Opaque", &document()),
            "registry.secret-unusable",
            "its type is Opaque, not kubernetes.io/dockerconfigjson",
        ),
        (
            secret(KIND, "hunter22"),
            "registry.secret-unusable",
            "its entry `.dockerconfigjson` can't be used: it is not a JSON object",
        ),
        (
            json!({ "metadata": { "name": "other" } }),
            "registry.secret-missing",
            "Secret builds/registry does not exist",
        ),
    ] {
        let (failure, _, _) = read(secret, "registry", named()).await;
        let (found, message) = failure.expect_err(why);
        assert_eq!(found, code);
        assert!(message.contains(why), "{message}");
        assert!(!message.contains("hunter22") && !message.contains(PASSWORD));
    }
}

#[tokio::test]
async fn a_password_that_cannot_be_masked_is_not_used() {
    let entry = json!({ "username": "ci", "password": "abc" });
    let short = json!({ "auths": { "ghcr.io": entry } }).to_string();
    let (failure, ..) = read(secret(KIND, &short), "registry", named()).await;
    assert_eq!(failure.expect_err("too short").0, "secret.too-short");
}
