//! A pod's states and events, over watches that end, repeat themselves and fail.

use std::sync::Arc;

use serde_json::{Value, json};
use sidestep_events::{Class, Evidence};
use sidestep_gate::{Shown, Update};

use crate::cluster::{
    Answer, Kind, Part, client, ended, list, no_events, pod, running, status, waiting,
};
use crate::keep::{Book, Entry, follow, follow_noting, target};

fn phases(updates: &[Update]) -> Vec<String> {
    updates
        .iter()
        .filter_map(|update| match update {
            Update::Status(state) => Some(state["status"]["phase"].as_str()?.to_owned()),
            _ => None,
        })
        .collect()
}

fn end_of(end: Result<Update, sidestep_events::Failure>) -> Value {
    match end {
        Ok(Update::Ended(state)) => state,
        other => panic!("no end: {other:?}"),
    }
}

fn no_log() -> Answer {
    Answer::Stream(Vec::new())
}

fn gone() -> Part {
    Part::event("ERROR", &status(410, "Expired", "too old resource version"))
}

#[tokio::test(start_paused = true)]
async fn what_is_listed_counts_before_what_is_watched() {
    let server = client(|call| match call.kind {
        Kind::ListPods => list(&[pod(9, "Succeeded", &ended(0))]),
        Kind::WatchPods => panic!("nothing is left to be watched"),
        Kind::Log => no_log(),
        _ => no_events(call),
    });
    let (updates, end) = follow(server, target(), &Arc::new(Book::default())).await;
    assert_eq!(phases(&updates), ["Succeeded"]);
    assert_eq!(end_of(end)["status"]["phase"], "Succeeded");
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_gone_begins_anew_in_list_and_in_watch() {
    let server = client(|call| match (call.kind, call.nth) {
        (Kind::ListPods, 0) => Answer::Json(410, status(410, "Expired", "the list is too old")),
        (Kind::ListPods, 1) => list(&[pod(1, "Pending", &waiting())]),
        (Kind::ListPods, _) => list(&[pod(7, "Running", &running())]),
        // The watch starts, and its version expires in the middle.
        (Kind::WatchPods, 0) => Answer::Stream(vec![
            Part::event("MODIFIED", &pod(2, "Pending", &waiting())),
            gone(),
        ]),
        // The next watch is refused at its start.
        (Kind::WatchPods, 1) => Answer::Stream(vec![gone()]),
        (Kind::WatchPods, _) => Answer::Stream(vec![
            Part::event("MODIFIED", &pod(8, "Succeeded", &ended(0))),
            Part::Silence,
        ]),
        (Kind::Log, _) => no_log(),
        _ => no_events(call),
    });
    let (updates, end) = follow(server, target(), &Arc::new(Book::default())).await;
    let mut phases = phases(&updates);
    phases.dedup();
    assert_eq!(phases, ["Pending", "Running", "Succeeded"]);
    end_of(end);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_went_while_nobody_watched_has_ended() {
    let server = client(|call| match (call.kind, call.nth) {
        (Kind::ListPods, 0) => list(&[pod(1, "Running", &running())]),
        (Kind::ListPods, _) => list(&[]),
        (Kind::WatchPods, _) => Answer::Stream(vec![gone()]),
        (Kind::Log, _) => no_log(),
        _ => no_events(call),
    });
    let (_, end) = follow(server, target(), &Arc::new(Book::default())).await;
    assert_eq!(end_of(end)["status"]["phase"], "Running", "its last state");
}

#[tokio::test(start_paused = true)]
async fn another_pod_of_the_same_name_is_not_followed() {
    let mut other = pod(5, "Running", &running());
    other["metadata"]["uid"] = "u2".into();
    let server = client(move |call| match (call.kind, call.nth) {
        (Kind::ListPods, 0) => list(&[pod(1, "Pending", &waiting())]),
        (Kind::ListPods, _) => list(std::slice::from_ref(&other)),
        (Kind::WatchPods, _) => Answer::Stream(vec![gone()]),
        (Kind::Log, _) => panic!("ours never ran"),
        _ => no_events(call),
    });
    let (updates, end) = follow(server, target(), &Arc::new(Book::default())).await;
    assert_eq!(phases(&updates), ["Pending"]);
    assert_eq!(end_of(end)["metadata"]["uid"], "u1");
}

#[tokio::test(start_paused = true)]
async fn repeated_and_reordered_events_change_nothing() {
    let server = client(|call| match (call.kind, call.nth) {
        (Kind::ListPods, _) => list(&[pod(1, "Pending", &waiting())]),
        (Kind::WatchPods, 0) => Answer::Stream(vec![
            Part::event("ADDED", &pod(1, "Pending", &waiting())),
            Part::event("MODIFIED", &pod(3, "Running", &running())),
            Part::event("MODIFIED", &pod(2, "Pending", &waiting())),
            Part::event("MODIFIED", &pod(3, "Running", &running())),
            Part::event("MODIFIED", &pod(4, "Running", &ended(0))),
            Part::event("MODIFIED", &pod(3, "Running", &running())),
            Part::event("MODIFIED", &pod(5, "Succeeded", &ended(0))),
            Part::event("MODIFIED", &pod(3, "Running", &running())),
            Part::Silence,
        ]),
        (Kind::Log, _) => {
            let line = b"2026-11-24T04:30:27.123456789Z once\n".to_vec();
            Answer::Stream(vec![Part::Bytes(line)])
        }
        _ => no_events(call),
    });
    let book = Arc::new(Book::default());
    let (_, end) = follow(server, target(), &book).await;
    assert_eq!(end_of(end)["status"]["phase"], "Succeeded");
    assert_eq!(
        crate::keep::lines(&book.entries(), "main"),
        [b"once".to_vec()]
    );
}

#[tokio::test(start_paused = true)]
async fn a_watch_may_be_cut_within_an_event_and_bring_bookmarks_only() {
    let bookmark = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"resourceVersion": "6", "creationTimestamp": null},
        "spec": {"containers": null}, "status": {},
    });
    let server = client(move |call| match (call.kind, call.nth) {
        (Kind::ListPods, 0) => list(&[pod(1, "Pending", &waiting())]),
        (Kind::WatchPods, 0) => {
            let Part::Bytes(mut half) = Part::event("MODIFIED", &pod(2, "Running", &running()))
            else {
                unreachable!("an event is bytes")
            };
            half.truncate(half.len() / 2);
            Answer::Stream(vec![Part::Bytes(half), Part::Cut])
        }
        (Kind::WatchPods, 1) => Answer::Lost,
        (Kind::WatchPods, 2) => Answer::Json(500, status(500, "InternalError", "etcd is slow")),
        (Kind::WatchPods, 3) => Answer::Stream(vec![Part::event("BOOKMARK", &bookmark)]),
        (Kind::WatchPods, 4) => {
            assert_eq!(
                call.query["resourceVersion"], "6",
                "it goes on from the bookmark"
            );
            Answer::Stream(vec![Part::event("MODIFIED", &pod(7, "Failed", &ended(1)))])
        }
        (Kind::Log, _) => no_log(),
        (Kind::ListEvents | Kind::WatchEvents, _) => no_events(call),
        other => panic!("not asked for: {other:?}"),
    });
    let (updates, end) = follow(server, target(), &Arc::new(Book::default())).await;
    assert_eq!(phases(&updates), ["Pending", "Failed"]);
    end_of(end);
}

#[tokio::test(start_paused = true)]
async fn a_pod_deleted_by_hand_ends_with_its_last_state() {
    let server = client(|call| match call.kind {
        Kind::ListPods => list(&[pod(1, "Running", &running())]),
        Kind::WatchPods => Answer::Stream(vec![
            Part::event("DELETED", &pod(2, "Running", &ended(137))),
            Part::Silence,
        ]),
        Kind::Log => no_log(),
        _ => no_events(call),
    });
    let (_, end) = follow(server, target(), &Arc::new(Book::default())).await;
    let state = end_of(end);
    let container = &state["status"]["containerStatuses"][0]["state"];
    assert_eq!(container["terminated"]["exitCode"], 137);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_never_was_is_a_failure_and_so_is_a_watch_that_is_refused() {
    let server = client(|call| match call.kind {
        Kind::ListPods => list(&[]),
        _ => no_events(call),
    });
    let (_, end) = follow(server, target(), &Arc::new(Book::default())).await;
    let failure = end.expect_err("there is none");
    assert_eq!(
        (failure.class, failure.code.exact()),
        (Class::NotFound, "pod.not-found")
    );

    let server = client(|call| match call.kind {
        Kind::ListPods => Answer::Json(403, status(403, "Forbidden", "pods is forbidden")),
        _ => no_events(call),
    });
    let (_, end) = follow(server, target(), &Arc::new(Book::default())).await;
    let failure = end.expect_err("it is refused");
    assert_eq!(failure.class, Class::Denied);
    assert_eq!(
        failure.message,
        "cannot watch pod builds/build: pods is forbidden"
    );
}

fn event(uid: &str, about: &str, reason: &str, count: u32) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"name": uid, "namespace": "builds", "uid": uid, "resourceVersion": "3"},
        "involvedObject": {"kind": "Pod", "name": "build", "uid": about},
        "reason": reason, "message": reason, "count": count, "type": "Warning",
    })
}

fn reasons(updates: &[Update]) -> Vec<String> {
    updates
        .iter()
        .filter_map(|update| match update {
            Update::Event(event) => Some(event["reason"].as_str()?.to_owned()),
            _ => None,
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn an_event_is_told_once_and_only_of_this_pod() {
    let over = tokio_util::sync::CancellationToken::new();
    let server = client(move |call| match (call.kind, call.nth) {
        (Kind::ListPods, _) => list(&[pod(1, "Pending", &waiting())]),
        (Kind::WatchPods, _) => Answer::Stream(vec![
            Part::Until(over.clone()),
            Part::event("MODIFIED", &pod(2, "Failed", &waiting())),
            Part::Silence,
        ]),
        (Kind::ListEvents, 0) => list(&[
            event("e0", "u0", "OfAnEarlierPod", 1),
            event("e1", "u1", "Failed", 1),
        ]),
        (Kind::ListEvents, _) => list(&[
            event("e1", "u1", "Failed", 1),
            event("e2", "u1", "BackOff", 1),
        ]),
        (Kind::WatchEvents, 0) => Answer::Stream(vec![gone()]),
        (Kind::WatchEvents, 1) => Answer::Stream(vec![
            Part::event("MODIFIED", &event("e2", "u1", "BackOff", 1)),
            Part::event("MODIFIED", &event("e2", "u1", "BackOff", 2)),
        ]),
        (Kind::WatchEvents, _) => {
            over.cancel();
            Answer::Stream(vec![Part::Silence])
        }
        other => panic!("not scripted: {other:?}"),
    });
    let (updates, end) = follow(server, target(), &Arc::new(Book::default())).await;
    assert_eq!(reasons(&updates), ["Failed", "BackOff", "BackOff"]);
    end_of(end);
}

#[tokio::test(start_paused = true)]
async fn events_that_are_not_granted_are_not_asked_for() {
    let server = client(|call| match call.kind {
        Kind::ListPods => list(&[pod(1, "Pending", &waiting())]),
        Kind::WatchPods => Answer::Stream(vec![
            Part::event("MODIFIED", &pod(2, "Failed", &waiting())),
            Part::Silence,
        ]),
        other => panic!("not granted: {other:?}"),
    });
    let mut target = target();
    target.events = false;
    let (updates, end) = follow(server, target, &Arc::new(Book::default())).await;
    assert_eq!(phases(&updates), ["Pending", "Failed"]);
    end_of(end);
}

#[tokio::test(start_paused = true)]
async fn events_that_may_not_be_listed_are_named_once() {
    let message = r#"events is forbidden: User "ci" cannot list resource "events" in API group "" in the namespace "builds""#;
    let over = tokio_util::sync::CancellationToken::new();
    let server = client(move |call| match (call.kind, call.nth) {
        (Kind::ListPods, _) => list(&[pod(1, "Pending", &waiting())]),
        (Kind::WatchPods, _) => Answer::Stream(vec![
            Part::Until(over.clone()),
            Part::event("MODIFIED", &pod(2, "Failed", &waiting())),
            Part::Silence,
        ]),
        (Kind::ListEvents, nth) => {
            if nth == 2 {
                over.cancel();
            }
            Answer::Json(403, crate::cluster::status(403, "Forbidden", message))
        }
        other => panic!("not scripted: {other:?}"),
    });
    let book = Arc::new(Book::default());
    let (_, end) = follow(server, target(), &book).await;
    assert_eq!(book.entries(), [Entry::WithoutEvents(message.to_owned())]);
    end_of(end);
}

/// Returns the reported state of a pod that ends in this phase, with this line in its log.
async fn shown(phase: &'static str, exit: i32, line: &'static str) -> Vec<Evidence> {
    let server = client(move |call| match call.kind {
        Kind::ListPods => list(&[pod(9, phase, &ended(exit))]),
        Kind::Log => {
            let line = format!("2026-11-24T04:30:27.123456789Z {line}\n");
            Answer::Stream(vec![Part::Bytes(line.into_bytes())])
        }
        _ => no_events(call),
    });
    let shown = Arc::new(Shown::default());
    let book = Arc::new(Book::default());
    let (_, end) = follow_noting(server, target(), &book, Arc::clone(&shown)).await;
    end_of(end);
    let seen = Evidence::ALL.into_iter();
    seen.filter(|evidence| shown.has(*evidence)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_transient_fault_counts_in_the_log_of_a_pod_that_failed() {
    const AWAY: &str = "error: could not find default credentials";
    let failed = [Evidence::PodFailed];
    assert_eq!(shown("Succeeded", 0, AWAY).await, []);
    assert_eq!(shown("Failed", 1, "error: no such file").await, failed);
    assert_eq!(
        shown("Failed", 1, AWAY).await,
        [Evidence::PodFailed, Evidence::TransientFault]
    );
}
