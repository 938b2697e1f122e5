//! kube-rs against the cluster.

use std::time::Duration;

use futures::{AsyncBufReadExt as _, StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::Api;
use kube::api::{DeleteParams, ListParams, LogParams, Patch, PatchParams, PostParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use serde_json::json;

use crate::support::{open, pod};

#[tokio::test]
async fn a_build_as_the_runner_does_it() {
    let cluster = open(|_| {}).await;
    let pods: Api<Pod> = Api::default_namespaced(cluster.client("developer"));
    let wish: Pod = serde_json::from_value(pod(
        "build",
        &["say=one", "say=two", "message=sha256:d", "exit=0"],
    ))
    .expect("a pod");
    let seen = watcher(
        pods.clone(),
        watcher::Config::default().fields("metadata.name=build"),
    )
    .default_backoff()
    .applied_objects();
    tokio::pin!(seen);
    pods.create(&PostParams::default(), &wish)
        .await
        .expect("creates");
    let conflict = pods
        .create(&PostParams::default(), &wish)
        .await
        .expect_err("it is there");
    match conflict {
        kube::Error::Api(status) => {
            assert_eq!(
                (status.code, status.reason.as_str()),
                (409, "AlreadyExists")
            );
            assert_eq!(status.message, "pods \"build\" already exists");
        }
        other => panic!("{other}"),
    }
    let mut phases = Vec::new();
    let watching = async {
        while let Some(pod) = seen.try_next().await.expect("a watch") {
            let phase = pod.status.and_then(|s| s.phase).unwrap_or_default();
            if phases.last() != Some(&phase) {
                phases.push(phase.clone());
            }
            if phase == "Succeeded" {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), watching)
        .await
        .expect("in time");
    assert_eq!(
        phases.last().map(String::as_str),
        Some("Succeeded"),
        "{phases:?}"
    );
    let log = LogParams {
        follow: true,
        timestamps: true,
        ..LogParams::default()
    };
    let lines: Vec<String> = pods
        .log_stream("build", &log)
        .await
        .expect("a log")
        .lines()
        .try_collect()
        .await
        .expect("lines");
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0].ends_with("Z one") && lines[1].ends_with("Z two"),
        "{lines:?}"
    );
    let list = pods
        .list(&ListParams::default().labels("app=build"))
        .await
        .expect("lists");
    let end = list.items[0]
        .status
        .as_ref()
        .and_then(|s| s.container_statuses.as_ref())
        .expect("statuses")[0]
        .state
        .as_ref()
        .and_then(|s| s.terminated.as_ref())
        .expect("ended");
    assert_eq!(
        (end.exit_code, end.message.as_deref()),
        (0, Some("sha256:d"))
    );
    let gone = pods
        .delete("build", &DeleteParams::default())
        .await
        .expect("deletes");
    assert!(gone.is_left(), "a pod comes back");
    assert!(pods.get_opt("build").await.expect("asks").is_none());
}

#[tokio::test]
async fn a_followed_log_grows_and_ends() {
    let cluster = open(|_| {}).await;
    let pods: Api<Pod> = Api::default_namespaced(cluster.client("developer"));
    let wish: Pod = serde_json::from_value(pod("a", &["say=up", "wait"])).expect("a pod");
    pods.create(&PostParams::default(), &wish)
        .await
        .expect("creates");
    cluster
        .until("a", |p| p["status"]["phase"] == "Running")
        .await;
    let log = LogParams {
        follow: true,
        ..LogParams::default()
    };
    let mut lines = pods.log_stream("a", &log).await.expect("a log").lines();
    assert_eq!(lines.next().await.expect("a line").expect("text"), "up");
    pods.delete("a", &DeleteParams::default())
        .await
        .expect("deletes");
    assert_eq!(
        lines.next().await.expect("a line").expect("text"),
        "terminated"
    );
    assert!(lines.next().await.is_none());
}

#[tokio::test]
async fn apply_and_patch() {
    let cluster = open(|_| {}).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(cluster.client("developer"));
    let wish = |value: &str| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m" }, "data": { "k": value } });
    let own = PatchParams::apply("sidestep");
    let made = maps
        .patch("m", &own, &Patch::Apply(wish("1")))
        .await
        .expect("applies");
    let same = maps
        .patch("m", &own, &Patch::Apply(wish("1")))
        .await
        .expect("applies again");
    assert_eq!(
        made.metadata.resource_version,
        same.metadata.resource_version
    );
    let other = maps
        .patch("m", &PatchParams::apply("else"), &Patch::Apply(wish("2")))
        .await;
    assert!(matches!(other, Err(kube::Error::Api(status)) if status.code == 409));
    let merged = maps
        .patch(
            "m",
            &PatchParams::default(),
            &Patch::Strategic(json!({ "data": { "l": "3" } })),
        )
        .await
        .expect("patches");
    assert_eq!(merged.data.map(|d| d.len()), Some(2));
    let secrets: Api<Secret> = Api::default_namespaced(cluster.client("viewer"));
    let refused = secrets
        .create(&PostParams::default(), &Secret::default())
        .await;
    assert!(matches!(refused, Err(kube::Error::Api(status)) if status.code == 403));
}
