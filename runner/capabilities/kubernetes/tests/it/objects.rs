//! Objects, over connections that are lost after the server has accepted the request.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use sidestep_events::Class;
use sidestep_kubernetes::{Most, Objects, Owned, Target};

use crate::cluster::{Answer, Kind, Part, client, pod, running, status};
use crate::deletions::{absent, forbidden};

pub(crate) fn pods(client: kube::Client) -> Objects {
    let target = Target {
        api_version: "v1".to_owned(),
        resource: "pods".to_owned(),
        namespace: Some("builds".to_owned()),
    };
    Objects::new(client, target)
}

pub(crate) fn owned(attempt: u32) -> Owned {
    Owned {
        by: format!("run/build/{attempt}"),
        expires: "2026-11-25T00:00:00Z".to_owned(),
    }
}

pub(crate) fn wish() -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "build"}, "spec": {}})
}

/// Returns a server that stores one pod. `lost` lists its first answers to a create.
pub(crate) fn server(
    kept: Option<Value>,
    lost: impl Fn(usize) -> Option<Answer> + Send + Sync + 'static,
) -> (kube::Client, Arc<Mutex<Vec<Value>>>) {
    let pods = Arc::new(Mutex::new(Vec::from_iter(kept)));
    let store = pods.clone();
    let client = client(move |call| {
        let mut pods = store.lock().expect("no panic");
        match call.kind {
            Kind::Create if pods.is_empty() => {
                let mut made = call.body.clone();
                made["metadata"]["uid"] = "u1".into();
                pods.push(made.clone());
                lost(call.nth).unwrap_or(Answer::Json(201, made))
            }
            Kind::Create => {
                let message = r#"pods "build" already exists"#;
                Answer::Json(409, status(409, "AlreadyExists", message))
            }
            Kind::Get => Answer::Json(200, pods[0].clone()),
            other => panic!("not scripted: {other:?}"),
        }
    });
    (client, pods)
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_is_lost_meets_its_own_object() {
    for lost in [
        || Answer::Lost,
        || Answer::Stream(vec![Part::Cut]),
        || {
            Answer::Stream(vec![
                Part::Bytes(b"{\"apiVersion\":\"v1\",".to_vec()),
                Part::Cut,
            ])
        },
        || {
            Answer::Json(
                500,
                status(500, "InternalError", "etcdserver: request timed out"),
            )
        },
    ] {
        let (client, kept) = server(None, move |nth| (nth == 0).then(lost));
        let (made, _) = pods(client)
            .create(wish(), "build", &owned(1), false)
            .await
            .expect("it was made");
        assert_eq!(made["metadata"]["uid"], "u1");
        assert_eq!(kept.lock().expect("no panic").len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_object_of_another_attempt_is_not_taken_for_its_own() {
    let (client, kept) = server(None, |_| None);
    pods(client.clone())
        .create(wish(), "build", &owned(1), false)
        .await
        .expect("it is made");
    let (_, new) = pods(client.clone())
        .create(wish(), "build", &owned(1), false)
        .await
        .expect("it is its own");
    assert!(!new);
    let failure = pods(client)
        .create(wish(), "build", &owned(2), false)
        .await
        .expect_err("it is another's")
        .failure;
    assert_eq!(
        (failure.class, failure.code.exact()),
        (Class::Conflict, "kubernetes.already-exists")
    );
    assert_eq!(kept.lock().expect("no panic").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn annotations_of_any_kind_are_not_taken_for_its_own() {
    for annotations in [
        json!(null),
        json!({}),
        json!({"sidestep.dev/made-by": ""}),
        json!({"sidestep.dev/made-by": "run/build/1\u{0}"}),
        json!({"sidestep.dev/made-by": "x".repeat(300_000)}),
        json!({"sidestep.dev/expires": "never"}),
    ] {
        let mut other = wish();
        other["metadata"]["annotations"] = annotations;
        let (client, _) = server(Some(other), |_| None);
        let failure = pods(client)
            .create(wish(), "build", &owned(1), false)
            .await
            .expect_err("it is another's")
            .failure;
        assert_eq!(failure.class, Class::Conflict);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stays_away_is_said_and_not_asked_for_ever() {
    let asked: Arc<Mutex<usize>> = Arc::default();
    let count = asked.clone();
    let client = client(move |_| {
        *count.lock().expect("no panic") += 1;
        Answer::Lost
    });
    let failure = pods(client)
        .create(wish(), "build", &owned(1), false)
        .await
        .expect_err("nobody answers")
        .failure;
    assert_eq!(
        (failure.class, failure.code.exact()),
        (Class::Unavailable, "kubernetes.unreachable")
    );
    assert!(
        failure
            .message
            .starts_with("cannot create pods builds/build: "),
        "{failure}"
    );
    assert_eq!(*asked.lock().expect("no panic"), 4);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_restarted_is_waited_for() {
    // Where nothing ever answered, the address is probably wrong.
    let asked: Arc<Mutex<usize>> = Arc::default();
    let count = asked.clone();
    let never = client(move |_| {
        *count.lock().expect("no panic") += 1;
        Answer::Refused
    });
    let failure = pods(never).get("build").await.expect_err("no answer");
    assert_eq!(failure.code.exact(), "kubernetes.unreachable");
    assert_eq!(*asked.lock().expect("no panic"), 4);

    // Ten refused attempts are more than half a minute.
    let restarted = client(|call| match call.nth {
        1..11 => Answer::Refused,
        _ => absent(),
    });
    let pods = pods(restarted);
    let began = tokio::time::Instant::now();
    for _ in 0..2 {
        assert_eq!(pods.find("build").await, Ok(None));
    }
    assert!(began.elapsed() > Duration::from_secs(20), "{began:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_come_back_is_given_up() {
    let gone = client(|call| match call.nth {
        0 => absent(),
        _ => Answer::Refused,
    });
    let pods = pods(gone);
    assert_eq!(pods.find("build").await, Ok(None));
    let began = tokio::time::Instant::now();
    let failure = pods.find("build").await.expect_err("no answer");
    assert_eq!(failure.code.exact(), "kubernetes.unreachable");
    assert!(failure.message.contains("refused"), "{failure}");
    let time = began.elapsed();
    assert!(
        time >= Duration::from_mins(1) && time < Duration::from_secs(80),
        "{time:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_an_end_is_not_read_to_its_end() {
    const LARGEST: usize = 4 << 20;
    const MARGIN: usize = 64 << 10;
    let endless = |code| {
        let read = Arc::new(AtomicUsize::new(0));
        let of_client = Arc::clone(&read);
        (
            pods(client(move |_| {
                Answer::Endless(code, Arc::clone(&of_client))
            })),
            read,
        )
    };
    for request in ["get", "create", "apply", "delete"] {
        let (pods, read) = endless(200);
        let failure = match request {
            "get" => pods.get("build").await.expect_err("endless"),
            "create" => {
                let made = pods.create(wish(), "build", &owned(1), false).await;
                let not_created = made.expect_err("endless");
                assert!(not_created.may_exist());
                not_created.failure
            }
            "apply" => {
                let applied = pods.apply(&wish(), "build", false, false).await;
                applied.expect_err("endless").failure
            }
            _ => {
                let deleted = pods.delete("build", None, None, None).await;
                deleted.expect_err("endless")
            }
        };
        assert_eq!(
            (failure.class, failure.code.exact()),
            (Class::Exhausted, "http.too-large"),
            "{request}"
        );
        let read = read.load(Ordering::Relaxed);
        assert!(
            (LARGEST..LARGEST + MARGIN).contains(&read),
            "{request}: {read}"
        );
    }
    // An error is cut: its code is known.
    let (pods, read) = endless(403);
    let most = Most {
        objects: 10,
        bytes: LARGEST,
    };
    let failure = pods.list(None, None, most).await.expect_err("denied");
    assert_eq!(failure.class, Class::Denied);
    let read = read.load(Ordering::Relaxed);
    assert!(read < 2 * MARGIN, "{read}");
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_gateway_keeps_its_status() {
    let upstream = || json!({"error": "upstream"});
    let busy = client(move |call| match call.nth {
        0 => Answer::Json(503, upstream()),
        1 => Answer::Text(502, "<h1>Bad Gateway</h1>"),
        _ => Answer::Json(200, pod(2, "Running", &running())),
    });
    assert!(pods(busy).get("build").await.is_ok(), "it is sent again");
    for (code, class) in [(503, Class::Unavailable), (401, Class::Denied)] {
        let client = client(move |_| Answer::Json(code, upstream()));
        let failure = pods(client).get("build").await.expect_err("no object");
        assert_eq!(failure.class, class);
        assert!(failure.message.contains("upstream"), "{failure}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_goes_with_its_step_is_applied_with_a_mark_and_not_over_another_s() {
    let client = client(|call| match call.kind {
        Kind::Get => absent(),
        Kind::Create => Answer::Json(201, call.body.clone()),
        other => panic!("not scripted: {other:?}"),
    });
    let applied = pods(client)
        .apply_owned(wish(), "build", &owned(1), false, false)
        .await
        .expect("applied");
    assert_eq!(
        applied["metadata"]["annotations"]["sidestep.dev/made-by"],
        owned(1).by
    );
    let (client, _) = server(Some(wish()), |_| None);
    let failure = pods(client)
        .apply_owned(wish(), "build", &owned(1), true, false)
        .await
        .expect_err("it is another's")
        .failure;
    assert_eq!(failure.code.exact(), "kubernetes.already-exists");
}

#[tokio::test(start_paused = true)]
async fn the_object_of_an_equal_run_with_another_plan_is_not_taken_for_its_own() {
    let plan = |plan: &str| Owned {
        by: format!("run/build/1/sha256:{plan}"),
        ..owned(1)
    };
    let (client, _) = server(None, |_| None);
    let pods = pods(client);
    let made = pods.create(wish(), "build", &plan("aa"), false).await;
    assert!(made.is_ok_and(|(_, new)| new));
    let again = pods.create(wish(), "build", &plan("aa"), false).await;
    assert!(again.is_ok_and(|(_, new)| !new));
    let failure = pods
        .create(wish(), "build", &plan("bb"), false)
        .await
        .expect_err("it is another job's")
        .failure;
    assert_eq!(
        failure.message.exact(),
        "cannot create pods builds/build: it exists, and a run with the same id but a different \
         plan created it"
    );
    assert_eq!(failure.help.len(), 1, "{failure:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_after_a_lost_answer_does_not_show_that_there_is_no_pod() {
    let lost: fn(usize) -> Option<Answer> = |nth| (nth == 0).then_some(Answer::Lost);
    let silent: fn(usize) -> Option<Answer> =
        |nth| (nth == 0).then(|| Answer::Stream(vec![Part::Silence]));
    let refused: fn(usize) -> Option<Answer> = |_| Some(forbidden("create"));
    for (first, may_exist) in [(lost, true), (silent, true), (refused, false)] {
        let client = client(move |call| match call.kind {
            Kind::Create => first(call.nth).unwrap_or_else(|| {
                let message = r#"pods "build" already exists"#;
                Answer::Json(409, status(409, "AlreadyExists", message))
            }),
            _ => forbidden("get"),
        });
        let not_created = pods(client)
            .create(wish(), "build", &owned(1), false)
            .await
            .expect_err("denied");
        assert_eq!(not_created.failure.class, Class::Denied);
        assert_eq!(not_created.may_exist(), may_exist);
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_that_another_client_creates_meanwhile_is_not_applied_over() {
    let client = client(|call| match (call.kind, call.nth) {
        (Kind::Get, 0) => absent(),
        (Kind::Get, _) => Answer::Json(200, wish()),
        (Kind::Create, _) => {
            let message = r#"pods "build" already exists"#;
            Answer::Json(409, status(409, "AlreadyExists", message))
        }
        other => panic!("not scripted: {other:?}"),
    });
    let not_created = pods(client)
        .apply_owned(wish(), "build", &owned(1), true, false)
        .await
        .expect_err("it is another's");
    assert_eq!(not_created.failure.code, "kubernetes.already-exists");
    assert!(!not_created.may_exist());
}

/// Returns a pod with the mark of attempt 1, at a version.
fn own_pod(version: usize) -> Value {
    let mut pod = wish();
    pod["metadata"] = json!({
        "name": "build", "uid": "u1", "resourceVersion": version.to_string(),
        "annotations": {"sidestep.dev/made-by": owned(1).by},
    });
    pod
}

#[tokio::test(start_paused = true)]
async fn its_own_object_is_applied_by_uid_and_version() {
    let client = client(|call| match (call.kind, call.nth) {
        (Kind::Get, nth) => Answer::Json(200, own_pod(nth)),
        (Kind::Apply, nth) => {
            let metadata = &call.body["metadata"];
            assert_eq!(metadata["uid"], "u1");
            assert_eq!(metadata["resourceVersion"], nth.to_string());
            let forced = call.query.get("force").is_some_and(|force| force == "true");
            assert_eq!(forced, nth == 2);
            let mut conflict = status(409, "Conflict", "no");
            match nth {
                0 => {}
                // Its creation set the same fields.
                1 => {
                    conflict["details"] = json!({"causes": [{
                        "reason": "FieldManagerConflict", "field": ".spec.x",
                        "message": "conflict with \"sidestep\" using v1",
                    }]});
                }
                _ => return Answer::Json(200, call.body.clone()),
            }
            Answer::Json(409, conflict)
        }
        other => panic!("not scripted: {other:?}"),
    });
    let applied = pods(client)
        .apply_owned(wish(), "build", &owned(1), false, false)
        .await;
    assert!(applied.is_ok(), "{applied:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_comes_or_is_always_busy_ends_within_minutes() {
    let busy = || {
        let mut busy = status(429, "TooManyRequests", "slow down");
        busy["details"] = json!({"retryAfterSeconds": 3600});
        Answer::Json(429, busy)
    };
    let silent = || Answer::Stream(vec![Part::Silence]);
    let silent: fn() -> Answer = silent;
    for (answer, code) in [
        (silent, "kubernetes.unreachable"),
        (busy, "kubernetes.unavailable"),
    ] {
        let client = client(move |_| answer());
        let began = tokio::time::Instant::now();
        let failure = pods(client).get("build").await.expect_err("no answer");
        assert_eq!(
            (failure.class, failure.code.exact()),
            (Class::Unavailable, code)
        );
        let time = began.elapsed();
        assert!(time <= Duration::from_mins(2), "{time:?}");
    }
}
