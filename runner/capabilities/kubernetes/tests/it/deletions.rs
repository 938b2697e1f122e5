//! Deletions, and whether an object is gone.

use std::time::Duration;

use serde_json::{Value, json};
use sidestep_events::Class;
use sidestep_kubernetes::Deletion;

use crate::cluster::{Answer, Kind, Part, client, pod, running, status};
use crate::objects::pods;

#[tokio::test(start_paused = true)]
async fn a_delete_gets_done_over_lost_connections() {
    let client = client(|call| match (call.kind, call.nth) {
        // The request was accepted, and only its answer is lost.
        (Kind::Delete, 0) => Answer::Lost,
        (Kind::Delete, _) => Answer::Json(200, pod(2, "Running", &running())),
        (Kind::ListPods, 0) => Answer::Lost,
        (Kind::ListPods, 1) => crate::cluster::list(&[pod(2, "Running", &running())]),
        (Kind::WatchPods, 0) => Answer::Stream(vec![Part::Cut]),
        (Kind::ListPods, _) => crate::cluster::list(&[]),
        (Kind::WatchPods, _) => Answer::Stream(vec![Part::Silence]),
        other => panic!("not scripted: {other:?}"),
    });
    let deletion = pods(client)
        .delete("build", Some("u1"), None, Some(Duration::from_secs(25)))
        .await;
    assert_eq!(deletion, Ok(Deletion::Gone));
}

/// Returns a pod whose deletion was accepted.
fn going_pod() -> Value {
    let mut pod = pod(2, "Running", &running());
    pod["metadata"]["deletionTimestamp"] = "2026-11-30T06:00:05Z".into();
    pod["metadata"]["deletionGracePeriodSeconds"] = 5.into();
    pod
}

pub(crate) fn absent() -> Answer {
    let mut absent = status(404, "NotFound", r#"pods "build" not found"#);
    absent["details"] = json!({ "name": "build", "kind": "pods" });
    Answer::Json(404, absent)
}

pub(crate) fn forbidden(verb: &str) -> Answer {
    let message = format!(r#"pods "build" is forbidden: User "ci" cannot {verb} resource "pods""#);
    Answer::Json(403, status(403, "Forbidden", &message))
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_does_not_go_and_one_that_may_not_be_seen_are_told_apart() {
    let stays = client(|call| match call.kind {
        Kind::Delete => Answer::Json(200, going_pod()),
        Kind::ListPods => crate::cluster::list(&[going_pod()]),
        Kind::WatchPods => Answer::Stream(vec![Part::Silence]),
        other => panic!("not scripted: {other:?}"),
    });
    let unseen = client(|call| match call.kind {
        Kind::Delete => Answer::Json(200, going_pod()),
        Kind::Get => forbidden("get"),
        _ => forbidden("watch"),
    });
    for (client, class) in [(stays, None), (unseen, Some(Class::Denied))] {
        let wait = Some(Duration::from_secs(25));
        let deletion = pods(client)
            .delete("build", Some("u1"), Some(5), wait)
            .await;
        let Ok(Deletion::Going { object, unseen }) = deletion else {
            panic!("{deletion:?}");
        };
        assert_eq!(object.uid.exact(), "u1");
        assert_eq!(
            object.until.expect("said").to_string(),
            "2026-11-30T06:00:05Z"
        );
        assert_eq!(unseen.map(|why| why.class), class);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_seen_going_without_list_and_watch() {
    let client = client(|call| match (call.kind, call.nth) {
        (Kind::Delete, _) => {
            assert_eq!(call.body["gracePeriodSeconds"], 5);
            assert_eq!(call.body["preconditions"]["uid"], "u1");
            Answer::Json(200, going_pod())
        }
        (Kind::Get, 0) => Answer::Json(200, going_pod()),
        (Kind::Get, _) => absent(),
        _ => forbidden("watch"),
    });
    let wait = Some(Duration::from_secs(25));
    let deletion = pods(client)
        .delete("build", Some("u1"), Some(5), wait)
        .await;
    assert_eq!(deletion, Ok(Deletion::Gone));
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_found_with_the_right_to_delete_it_alone() {
    let client = client(|call| match call.kind {
        Kind::Delete => {
            assert_eq!(call.body["dryRun"], json!(["All"]), "it is only tried");
            Answer::Json(200, pod(2, "Running", &running()))
        }
        _ => forbidden("get"),
    });
    let pods = pods(client);
    assert_eq!(
        pods.find("build").await.expect_err("denied").class,
        Class::Denied
    );
    let found = pods.find_by_deletion("build").await.expect("it answers");
    assert_eq!(found.expect("it is there")["metadata"]["uid"], "u1");
}

#[tokio::test(start_paused = true)]
async fn only_a_404_that_names_the_object_says_that_there_is_none() {
    let gone = client(|_| absent());
    assert_eq!(pods(gone).find("build").await, Ok(None));
    let other = client(|_| {
        let message = "the server could not find the requested resource";
        Answer::Json(404, status(404, "NotFound", message))
    });
    let failure = pods(other).find("build").await.expect_err("unknown");
    assert_eq!(failure.class, Class::NotFound);
    // A server that stores pods and does not find their path.
    let verbs = json!(["create", "get"]);
    let served = json!({
        "kind": "APIResourceList", "groupVersion": "v1",
        "resources": [{
            "name": "pods", "singularName": "pod", "namespaced": true, "kind": "Pod", "verbs": verbs,
        }],
    });
    let client = client(move |call| match call.kind {
        Kind::Discovery => Answer::Json(200, served.clone()),
        _ => Answer::Json(404, status(404, "NotFound", "no such path")),
    });
    let failure = pods(client).find("build").await.expect_err("unknown");
    assert_eq!(failure.class, Class::NotFound);
}
