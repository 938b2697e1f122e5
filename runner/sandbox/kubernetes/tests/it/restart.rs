//! The state that survives a restart of the process.

use serde_json::{Value, json};

use crate::support::{PODS, config, open, open_in, phase, pod};

#[tokio::test]
async fn objects_versions_keys_and_logs_survive() {
    let cluster = open(|_| {}).await;
    cluster
        .post(PODS, pod("done", &["say=kept", "exit=0"]))
        .await;
    cluster.until("done", phase("Succeeded")).await;
    cluster
        .post(PODS, pod("running", &["say=half", "wait"]))
        .await;
    cluster.until("running", phase("Running")).await;
    cluster
        .post(PODS, pod("found", &["say=half", "wait", "found"]))
        .await;
    cluster.until("found", phase("Running")).await;
    let token = cluster
        .kubernetes
        .issue_token("builds", "kaniko", &["a"], 3600, None)
        .expect("a token");
    let ca = cluster.kubernetes.ca_pem().to_owned();
    let (_, list) = cluster.get(PODS).await;
    let version: u64 = list["metadata"]["resourceVersion"]
        .as_str()
        .and_then(|v| v.parse().ok())
        .expect("a version");
    cluster.kubernetes.close();
    let dir = cluster.dir;
    drop(cluster.kubernetes);

    let state = dir.path().join("state");
    let cluster = open_in(dir, config(&state)).await;
    assert_eq!(cluster.kubernetes.ca_pem(), ca);
    cluster
        .kubernetes
        .verify_token(&token, "a")
        .expect("the key is the same");
    // The runtime cannot find the container again, and the pod says so.
    let unfound = cluster.until("running", phase("Failed")).await;
    let end = &unfound["status"]["containerStatuses"][0]["state"]["terminated"];
    assert_eq!(
        (&end["reason"], &end["exitCode"]),
        (&json!("ContainerStatusUnknown"), &json!(137))
    );
    // The runtime finds another container, and its log continues.
    cluster.until("found", phase("Succeeded")).await;
    let logs = [
        ("done", "kept\n"),
        ("running", "half\n"),
        ("found", "half\nfound again\n"),
    ];
    for (name, log) in logs {
        assert_eq!(
            cluster.get(&format!("{PODS}/{name}/log")).await,
            (200, Value::from(log))
        );
    }
    let (_, made) = cluster.post(PODS, pod("new", &["exit=0"])).await;
    let next: u64 = made["metadata"]["resourceVersion"]
        .as_str()
        .and_then(|v| v.parse().ok())
        .expect("a version");
    assert!(next > version);
    assert!(cluster.kubernetes.get("pods", "builds", "done").is_some());
}
