//! Watches: their start, their bookmarks and the end of the stored history.

use futures::StreamExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::{Cluster, open};

const MAPS: &str = "/api/v1/namespaces/builds/configmaps";

async fn watch(cluster: &Cluster, query: &str) -> Vec<Value> {
    let request = http::Request::builder()
        .uri(format!("{MAPS}?watch=true&{query}"))
        .header("authorization", "Bearer developer")
        .body(axum::body::Body::empty())
        .expect("a request");
    let response = cluster
        .kubernetes
        .router()
        .oneshot(request)
        .await
        .expect("a watch");
    assert_eq!(response.status(), 200);
    response
        .into_body()
        .into_data_stream()
        .map(|chunk| serde_json::from_slice(&chunk.expect("bytes")).expect("an event"))
        .collect()
        .await
}

fn map(name: &str, value: &str) -> Value {
    json!({ "metadata": { "name": name, "labels": { "v": value } }, "data": { "v": value } })
}

fn types(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|e| e["type"].as_str())
        .filter(|t| *t != "BOOKMARK")
        .collect()
}

#[tokio::test]
async fn changes_come_once_and_in_order() {
    let cluster = open(|_| {}).await;
    let (_, list) = cluster.get(MAPS).await;
    let from = list["metadata"]["resourceVersion"]
        .as_str()
        .expect("a version")
        .to_owned();
    cluster.post(MAPS, map("a", "1")).await;
    cluster
        .patch(
            &format!("{MAPS}/a"),
            "merge-patch+json",
            json!({ "data": { "v": "2" } }),
        )
        .await;
    cluster.delete(&format!("{MAPS}/a")).await;
    let events = watch(
        &cluster,
        &format!("resourceVersion={from}&timeoutSeconds=1"),
    )
    .await;
    assert_eq!(types(&events), ["ADDED", "MODIFIED", "DELETED"]);
    let versions: Vec<u64> = events
        .iter()
        .map(|e| {
            e["object"]["metadata"]["resourceVersion"]
                .as_str()
                .and_then(|v| v.parse().ok())
                .expect("a version")
        })
        .collect();
    assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
}

#[tokio::test]
async fn an_object_leaves_and_enters_a_selection() {
    let cluster = open(|_| {}).await;
    let (_, made) = cluster.post(MAPS, map("a", "1")).await;
    let from = made["metadata"]["resourceVersion"]
        .as_str()
        .expect("a version");
    for value in ["2", "1"] {
        let patch = json!({ "metadata": { "labels": { "v": value } } });
        cluster
            .patch(&format!("{MAPS}/a"), "merge-patch+json", patch)
            .await;
    }
    let query = format!("resourceVersion={from}&timeoutSeconds=1&labelSelector=v%3D1");
    assert_eq!(types(&watch(&cluster, &query).await), ["DELETED", "ADDED"]);
}

#[tokio::test]
async fn bookmarks_carry_the_version_on() {
    let cluster = open(|_| {}).await;
    // In another place, so that this watch sees none of it.
    let secrets = "/api/v1/namespaces/builds/secrets";
    let (_, made) = cluster
        .post(secrets, json!({ "metadata": { "name": "s" } }))
        .await;
    let (_, list) = cluster.get(MAPS).await;
    let from = list["metadata"]["resourceVersion"]
        .as_str()
        .expect("a version");
    let query = format!("resourceVersion={from}&timeoutSeconds=1&allowWatchBookmarks=true");
    let events = watch(&cluster, &query).await;
    assert!(events.len() >= 2, "{events:?}");
    let bookmark = events.last().expect("one");
    assert_eq!(bookmark["type"], "BOOKMARK");
    assert_eq!(bookmark["object"]["kind"], "ConfigMap");
    assert_eq!(
        bookmark["object"]["metadata"]["resourceVersion"],
        made["metadata"]["resourceVersion"]
    );
    let silent = watch(
        &cluster,
        &format!("resourceVersion={from}&timeoutSeconds=1"),
    )
    .await;
    assert!(silent.is_empty(), "no bookmarks unasked: {silent:?}");
}

#[tokio::test]
async fn initial_events_end_with_their_mark() {
    let cluster = open(|_| {}).await;
    cluster.post(MAPS, map("a", "1")).await;
    let query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1";
    let events = watch(&cluster, query).await;
    assert_eq!(types(&events), ["ADDED", "ADDED"]);
    assert_eq!(
        events[2]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"],
        "true"
    );
}

#[tokio::test]
async fn a_forgotten_version_is_410() {
    let cluster = open(|config| config.history = 3).await;
    let (_, made) = cluster.post(MAPS, map("a", "0")).await;
    let from = made["metadata"]["resourceVersion"]
        .as_str()
        .expect("a version");
    let (_, page) = cluster.get(&format!("{MAPS}?limit=1")).await;
    let token = page["metadata"]["continue"]
        .as_str()
        .expect("more")
        .to_owned();
    for n in 1..6 {
        let patch = json!({ "data": { "v": n.to_string() } });
        cluster
            .patch(&format!("{MAPS}/a"), "merge-patch+json", patch)
            .await;
    }
    let events = watch(
        &cluster,
        &format!("resourceVersion={from}&timeoutSeconds=5"),
    )
    .await;
    assert_eq!(types(&events), ["ERROR"]);
    assert_eq!(
        (&events[0]["object"]["code"], &events[0]["object"]["reason"]),
        (&json!(410), &json!("Expired"))
    );
    let (code, body) = cluster
        .get(&format!("{MAPS}?limit=1&continue={token}"))
        .await;
    assert_eq!((code, &body["reason"]), (410, &json!("Expired")));
    let (code, _) = cluster.get(&format!("{MAPS}?limit=1&continue=x")).await;
    assert_eq!(code, 400);
}
