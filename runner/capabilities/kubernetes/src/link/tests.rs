//! The interface's functions against an API server without a socket.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use kube::Client;
use serde_json::{Value, json};
use sidestep_bindings::sidestep::host::types::OnExit;
use sidestep_bindings::sidestep::kubernetes::objects::{self as wit, Host as _};
use sidestep_events::{Done, codes};
use sidestep_gate::{CallError, Services};
use sidestep_gate_testing::{Record, state_with};
use sidestep_policy::Capability;

use crate::{Calls, Clusters};

const CLUSTER: &str = "test";

/// The requests that a server got: the method, the path, and whether it is a dry run.
type Requests = Arc<Mutex<Vec<String>>>;

/// Returns an API server with one Secret, which these annotations mark.
fn server(name: &'static str, annotations: Value) -> (Client, Requests) {
    let requests = Requests::default();
    let kept = Arc::clone(&requests);
    let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
        let (kept, annotations) = (Arc::clone(&kept), annotations.clone());
        async move {
            let (head, body) = request.into_parts();
            let place = head
                .uri
                .path()
                .rsplit("/namespaces/")
                .next()
                .unwrap_or_default();
            let query = head.uri.query().unwrap_or_default();
            let query = if query.contains("dryRun=All") {
                "?dryRun"
            } else {
                ""
            };
            kept.lock()
                .expect("no panic")
                .push(format!("{} {place}{query}", head.method));
            let body = body.collect_bytes().await.expect("a body");
            let mut object: Value = serde_json::from_slice(&body).unwrap_or_default();
            let (code, answer) = match (head.method.as_str(), &object["metadata"]["name"]) {
                ("GET", _) => {
                    let metadata = json!({"name": name, "annotations": annotations});
                    (
                        200,
                        json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata}),
                    )
                }
                (_, found) if object["kind"] == "Secret" && found == name => {
                    let status = json!({
                        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 409,
                        "reason": "AlreadyExists", "message": "it exists already",
                    });
                    (409, status)
                }
                _ => {
                    object["metadata"]["uid"] = "u1".into();
                    (201, object)
                }
            };
            let answer = Body::from(answer.to_string());
            let answer = http::Response::builder().status(code).body(answer);
            Ok::<_, io::Error>(answer.expect("a response"))
        }
    });
    (Client::new(service, "builds"), requests)
}

/// Creates a pod whose own Secret has this name, as a step that may only create pods. Returns the
/// failure's code.
pub(crate) async fn create_with_secret(
    client: Client,
    namespace: &str,
    secret: &str,
) -> Result<(), String> {
    let granted = json!([{
        "cluster": CLUSTER, "namespace": namespace, "resources": ["pods"], "actions": ["create"],
        "images": ["example.com/image:*"], "serviceAccounts": ["builder"],
    }]);
    let services = Services::default().with(Arc::new(Clusters::of(CLUSTER, client)));
    let (state, _) = state_with(&[(Capability::Kubernetes, granted)], services);
    let secret_of = json!({ "secretKeyRef": { "name": secret, "key": "a" } });
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "spec": {
            "serviceAccountName": "builder", "automountServiceAccountToken": false,
            "containers": [{
                "name": "main", "image": "example.com/image:1",
                "env": [{ "name": "A", "valueFrom": secret_of }],
            }],
        },
    });
    let at = wit::ObjectRef {
        cluster: CLUSTER.to_owned(),
        api_version: "v1".to_owned(),
        resource: "pods".to_owned(),
        namespace: Some(namespace.to_owned()),
        name: "build".to_owned(),
    };
    let options = wit::CreateOptions {
        secret_data: vec![wit::SecretData {
            name: secret.to_owned(),
            secret_type: "Opaque".to_owned(),
            entries: Vec::new(),
        }],
        on_exit: OnExit::Delete,
        expires: None,
        dry_run: false,
    };
    match Calls(state).create(at, pod.to_string(), options).await {
        Ok(_) => Ok(()),
        Err(CallError::Failure(failure)) => Err(failure.code.exact().to_owned()),
        Err(CallError::Trap(trap)) => panic!("{trap:?}"),
    }
}

#[tokio::test]
async fn a_pod_whose_own_secret_exists_already_is_not_made() {
    for annotations in [
        json!({}),
        // Another attempt's.
        json!({"sidestep.dev/made-by": "run/step/2/sha256:00"}),
    ] {
        let (client, requests) = server("db-password", annotations);
        let created = create_with_secret(client, "builds", "db-password").await;
        let code = codes::kubernetes::ALREADY_EXISTS.to_owned();
        assert_eq!(created, Err(code));
        let requests = requests.lock().expect("no panic");
        let expected = [
            "POST builds/secrets?dryRun",
            "GET builds/secrets/db-password",
        ];
        assert_eq!(*requests, expected);
    }
}

#[tokio::test]
async fn a_pod_is_made_once_its_own_secret_is_possible() {
    let (client, requests) = server("other", json!({}));
    create_with_secret(client, "builds", "words")
        .await
        .expect("created");
    let requests = requests.lock().expect("no panic");
    let expected = [
        "POST builds/secrets?dryRun",
        "POST builds/pods",
        "POST builds/secrets",
    ];
    assert_eq!(*requests, expected);
}

/// Returns the options of a follow with this many patterns.
fn follow(patterns: usize) -> (wit::PodRef, wit::FollowOptions) {
    let pod = wit::PodRef {
        cluster: CLUSTER.to_owned(),
        namespace: "builds".to_owned(),
        name: "build".to_owned(),
        uid: None,
    };
    let pattern = |id: usize| wit::Pattern {
        id: id.to_string(),
        regex: format!("^(a{{{id}}})b"),
    };
    let options = wit::FollowOptions {
        containers: Vec::new(),
        patterns: (0..patterns).map(pattern).collect(),
    };
    (pod, options)
}

#[tokio::test]
async fn follows_take_memory_until_they_are_dropped() {
    let granted = json!([{
        "cluster": CLUSTER, "namespace": "builds", "resources": ["pods", "pods/log"],
        "actions": ["get", "watch"],
    }]);
    let (client, _) = server("none", json!({}));
    let services = Services::default().with(Arc::new(Clusters::of(CLUSTER, client)));
    let (state, _) = state_with(&[(Capability::Kubernetes, granted)], services);
    let mut calls = Calls(state);
    for round in 0..2 {
        let mut handles = Vec::new();
        let refused = loop {
            let (pod, options) = follow(64);
            match calls.follow_pod(pod, options).await {
                Ok(handle) => handles.push(handle),
                Err(CallError::Failure(failure)) => break failure,
                Err(CallError::Trap(trap)) => panic!("{trap:?}"),
            }
        };
        assert_eq!(refused.code, codes::limit::HOST_MEMORY, "{round}");
        assert_eq!(handles.len(), 1, "{round}");
        for handle in handles {
            calls.table.delete(handle).expect("one");
        }
    }
}

#[tokio::test]
async fn the_name_of_a_pods_own_secret_is_one_part_of_a_path() {
    let (client, requests) = server("other", json!({}));
    let created = create_with_secret(client, "builds", "../pods").await;
    assert_eq!(created, Err("kubernetes.invalid".to_owned()));
    assert_eq!(*requests.lock().expect("no panic"), Vec::<String>::new());
}

/// Applies a ConfigMap that is deleted when its step ends. Returns the records of the step.
pub(crate) async fn apply_for_the_step(
    client: Client,
    namespace: &str,
    value: &str,
) -> (Result<String, String>, Vec<Record>) {
    let granted = json!([{
        "cluster": CLUSTER, "namespace": namespace, "resources": ["configmaps"],
        "actions": ["apply"],
    }]);
    let services = Services::default().with(Arc::new(Clusters::of(CLUSTER, client)));
    let (state, kept) = state_with(&[(Capability::Kubernetes, granted)], services);
    let at = wit::ObjectRef {
        cluster: CLUSTER.to_owned(),
        api_version: "v1".to_owned(),
        resource: "configmaps".to_owned(),
        namespace: Some(namespace.to_owned()),
        name: "settings".to_owned(),
    };
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "data": { "key": value } });
    let options = wit::ApplyOptions {
        force: false,
        on_exit: OnExit::Delete,
        dry_run: false,
    };
    let applied = match Calls(state).apply(at, map.to_string(), options).await {
        Ok(applied) => Ok(applied),
        Err(CallError::Failure(failure)) => Err(failure.code.exact().to_owned()),
        Err(CallError::Trap(trap)) => panic!("{trap:?}"),
    };
    (applied, kept.records())
}

/// Returns whether each intent of a step is open: the clean-up looks for its object.
pub(crate) fn open(records: &[Record]) -> Vec<bool> {
    let mut open = Vec::new();
    for record in records {
        match record {
            Record::Intent(_) => open.push(true),
            // Intents are counted from one.
            Record::Done(Done {
                intent, id: None, ..
            }) => {
                open[usize::try_from(intent.0).expect("a count") - 1] = false;
            }
            _ => {}
        }
    }
    open
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_is_refused_after_a_lost_answer_keeps_its_intent_open() {
    for (first, is_open) in [(None, true), (Some(403), false)] {
        let asked = Arc::new(AtomicUsize::new(0));
        let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
            let asked = Arc::clone(&asked);
            async move {
                let is_read = request.method() == http::Method::GET;
                let nth = if is_read {
                    usize::MAX
                } else {
                    asked.fetch_add(1, Ordering::Relaxed)
                };
                let (code, name) = match (nth, first) {
                    // It was carried out.
                    (0, None) => return Err(io::Error::other("the connection was reset")),
                    (0, Some(code)) => (code, ""),
                    // The object's name may not be read, so nothing shows whose it is.
                    (usize::MAX, _) if asked.load(Ordering::Relaxed) > 0 => (403, ""),
                    (usize::MAX, _) => (404, "settings"),
                    _ => (403, ""),
                };
                let status = json!({
                    "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
                    "reason": if code == 404 { "NotFound" } else { "Forbidden" },
                    "message": "no", "details": { "name": name },
                });
                let answer = Body::from(status.to_string());
                let answer = http::Response::builder().status(code).body(answer);
                Ok::<_, io::Error>(answer.expect("a response"))
            }
        });
        let client = Client::new(service, "builds");
        let (applied, records) = apply_for_the_step(client, "builds", "first").await;
        assert!(applied.is_err(), "{applied:?}");
        assert_eq!(open(&records), [is_open], "{first:?}");
    }
}
