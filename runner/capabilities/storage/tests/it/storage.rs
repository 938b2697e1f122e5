//! A Cloud Storage that fails, or answers too late, too much or never.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::join_all;
use serde_json::{Value, json};
use sidestep_events::{Class, Failure, Owner};
use sidestep_gate::{Blob, Disk, NotCreated, Space};
use sidestep_google::{Credentials, Endpoints};
use sidestep_storage::{Storage, Write, Written};

use crate::server::{Reply, Request, Server, serve};

fn storage(server: &Server) -> Storage {
    let mut endpoints = Endpoints::default();
    endpoints.set_storage_emulator(server.url.clone());
    Storage::new(Arc::new(endpoints), Arc::new(Credentials::anonymous()))
}

fn space(limit: u64) -> Space {
    Disk::new(limit).space()
}

fn once() -> Write {
    Write {
        if_generation_match: Some(0),
        metadata: BTreeMap::from([("digest".to_owned(), "sha256:d".to_owned())]),
        ..Write::default()
    }
}

async fn put(server: &Server, bytes: Vec<u8>) -> Result<Written, Failure> {
    let written = write(server, bytes, &once()).await;
    written.map_err(|not_created| not_created.failure)
}

async fn write(server: &Server, bytes: Vec<u8>, write: &Write) -> Result<Written, NotCreated> {
    let blob = Blob::from_bytes(bytes);
    storage(server)
        .put("contexts", "a", blob, write, |_, _| {})
        .await
}

fn object(digest: &str, size: usize) -> Value {
    json!({
        "kind": "storage#object", "bucket": "contexts", "name": "a", "generation": "7",
        "metageneration": "1", "size": size.to_string(), "metadata": {"digest": digest},
    })
}

fn refusal(code: u16, reason: &str) -> Reply {
    Reply::json(
        code,
        &json!({"error": {"code": code, "message": "said so", "errors": [{"reason": reason}]}}),
    )
}

/// Returns a bucket that accepts an object only once, and then does what `after` says.
async fn bucket(
    before: impl Fn(usize) -> Option<Reply> + Send + Sync + 'static,
    after: impl Fn() -> Option<Reply> + Send + Sync + 'static,
) -> (Server, Arc<AtomicUsize>) {
    let kept: Arc<Mutex<Option<Value>>> = Arc::default();
    let uploads = Arc::new(AtomicUsize::new(0));
    let count = uploads.clone();
    let server = serve(move |request| {
        let mut kept = kept.lock().expect("no panic");
        match (request.method.as_str(), &*request.path, &*kept) {
            ("POST", "/upload/storage/v1/b/contexts/o", there) => {
                if let Some(reply) = before(count.fetch_add(1, Ordering::Relaxed)) {
                    return reply;
                }
                assert_eq!(request.query["ifGenerationMatch"], "0");
                if there.is_some() {
                    return refusal(412, "conditionNotMet");
                }
                let body = String::from_utf8_lossy(&request.body);
                assert!(
                    body.contains("the bytes") && body.contains("sha256:d"),
                    "{body}"
                );
                let made = object("sha256:d", 9);
                *kept = Some(made.clone());
                after().unwrap_or_else(|| Reply::json(200, &made))
            }
            ("GET", "/storage/v1/b/contexts/o/a", Some(there)) => Reply::json(200, there),
            (method, path, _) => panic!("not scripted: {method} {path}"),
        }
    })
    .await;
    (server, uploads)
}

#[tokio::test]
async fn an_upload_is_sent_again_after_each_stumble() {
    let stumbles: [fn() -> Reply; 7] = [
        || refusal(408, "backendError"),
        || refusal(429, "rateLimitExceeded"),
        || refusal(500, "backendError"),
        || refusal(502, "backendError"),
        || refusal(503, "backendError"),
        || refusal(504, "backendError"),
        || Reply::Reset,
    ];
    join_all(stumbles.map(|stumble| {
        Box::pin(async move {
            let (server, uploads) = bucket(move |nth| (nth == 0).then(stumble), || None).await;
            let written = put(&server, b"the bytes".to_vec()).await.expect("it heals");
            assert_eq!((written.generation, written.created), (7, true));
            assert_eq!(uploads.load(Ordering::Relaxed), 2);
        })
    }))
    .await;
}

#[tokio::test]
async fn an_upload_whose_answer_is_lost_finds_its_own_object() {
    let lost: [fn() -> Reply; 3] = [
        || Reply::Reset,
        || Reply::Cut(Vec::new(), b"{\"generation\":\"7\"}".to_vec(), 5),
        || refusal(503, "backendError"),
    ];
    join_all(lost.map(|lost| {
        Box::pin(async move {
            let (server, uploads) = bucket(|_| None, move || Some(lost())).await;
            let written = put(&server, b"the bytes".to_vec())
                .await
                .expect("it is there");
            // The second attempt's 412 was caused by the first attempt.
            assert_eq!((written.generation, written.created), (7, false));
            assert_eq!(uploads.load(Ordering::Relaxed), 2);
        })
    }))
    .await;
}

#[tokio::test]
async fn somebody_else_s_object_of_that_name_is_not_taken_for_its_own() {
    let server = serve(|request: Request| match request.method.as_str() {
        "POST" => refusal(412, "conditionNotMet"),
        _ => Reply::json(200, &object("sha256:other", 5)),
    })
    .await;
    let failure = put(&server, b"the bytes".to_vec())
        .await
        .expect_err("it is another");
    assert_eq!(
        (failure.class, failure.code.exact()),
        (Class::Conflict, "storage.conflict")
    );
}

/// Returns a bucket that stores the object of the first request, and answers as `lost` says. It
/// refuses all others, and every read.
async fn write_only(lost: fn() -> Reply) -> Server {
    let uploads = AtomicUsize::new(0);
    serve(move |request| match request.method.as_str() {
        "POST" if uploads.fetch_add(1, Ordering::Relaxed) == 0 => lost(),
        "POST" => refusal(412, "conditionNotMet"),
        _ => refusal(403, "forbidden"),
    })
    .await
}

#[tokio::test]
async fn a_refusal_after_a_lost_answer_does_not_show_that_there_is_no_object() {
    let rows: [(fn() -> Reply, bool); 4] = [
        (|| Reply::Reset, true),
        (|| refusal(503, "backendError"), true),
        (
            || Reply::Cut(Vec::new(), b"{\"generation\":\"7\"}".to_vec(), 5),
            true,
        ),
        (|| refusal(412, "conditionNotMet"), false),
    ];
    join_all(rows.map(|(lost, may_exist)| {
        Box::pin(async move {
            let server = write_only(lost).await;
            let written = write(&server, b"the bytes".to_vec(), &once()).await;
            let not_created = written.expect_err("it can't be read");
            assert_eq!(not_created.failure.code.exact(), "google.permission-denied");
            assert_eq!(not_created.may_exist(), may_exist);
        })
    }))
    .await;
}

#[tokio::test]
async fn a_new_generation_whose_answer_is_lost_may_exist() {
    let uploads = AtomicUsize::new(0);
    let server = serve(move |request: Request| match request.method.as_str() {
        "POST" if uploads.fetch_add(1, Ordering::Relaxed) == 0 => Reply::Reset,
        "POST" => refusal(412, "conditionNotMet"),
        _ => Reply::json(200, &object("sha256:d", 9)),
    })
    .await;
    let replaced = Write {
        if_generation_match: Some(6),
        ..once()
    };
    let written = write(&server, b"the bytes".to_vec(), &replaced).await;
    let not_created = written.expect_err("another generation");
    assert!(not_created.may_exist(), "{not_created:?}");
}

#[tokio::test]
async fn a_large_upload_goes_on_where_a_lost_connection_left_it() {
    // For sixteen megabytes or more, the client opens a session.
    let bytes: Vec<u8> = (0_u32..5 << 20).flat_map(u32::to_le_bytes).collect();
    let taken: Arc<Mutex<Vec<u8>>> = Arc::default();
    let (store, total) = (taken.clone(), bytes.len());
    let at: Arc<Mutex<Option<String>>> = Arc::default();
    let here = at.clone();
    let server = serve(move |request| {
        let mut taken = store.lock().expect("no panic");
        if request.method == "POST" {
            let host = here
                .lock()
                .expect("no panic")
                .clone()
                .expect("known by now");
            let location = ("location", format!("{host}session"));
            return Reply::Whole(200, vec![location], Vec::new());
        }
        let range = request
            .headers
            .get("content-range")
            .expect("a part")
            .clone();
        let answer = |taken: &Vec<u8>| match taken.len() {
            length if length == total => Reply::json(200, &object("sha256:d", total)),
            0 => Reply::Whole(308, Vec::new(), Vec::new()),
            length => {
                let range = ("range", format!("bytes=0-{}", length - 1));
                Reply::Whole(308, vec![range], Vec::new())
            }
        };
        if let Some(from) = range.strip_prefix("bytes ").and_then(|r| r.split_once('-')) {
            let from: usize = from.0.parse().expect("a number");
            assert_eq!(from, taken.len(), "it goes on where the server is: {range}");
            if taken.is_empty() {
                // Only part of the first chunk was stored, and its answer is lost.
                let whole = 256 * 1024 * 5;
                taken.extend_from_slice(&request.body[..whole]);
                return Reply::Reset;
            }
            taken.extend_from_slice(&request.body);
        }
        answer(&taken)
    })
    .await;
    *at.lock().expect("no panic") = Some(server.url.to_string());
    let written = put(&server, bytes.clone()).await.expect("it goes on");
    assert_eq!(written.size, bytes.len() as u64);
    assert!(
        *taken.lock().expect("no panic") == bytes,
        "the bytes differ"
    );
}

#[tokio::test]
async fn a_token_that_is_expired_is_said_with_what_to_do() {
    let server = serve(|_| refusal(401, "authError")).await;
    let storage = storage(&server);
    let stat = storage
        .stat("contexts", "a", None)
        .await
        .expect_err("refused");
    let put = put(&server, b"the bytes".to_vec())
        .await
        .expect_err("refused");
    let read = storage
        .read("contexts", "a", None, 10)
        .await
        .expect_err("refused");
    for failure in [stat, put, read] {
        assert_eq!(
            (failure.class, failure.code.exact(), failure.owner),
            (Class::Denied, "google.unauthenticated", Owner::Operator)
        );
        let login = "gcloud auth application-default login";
        assert!(failure.help.iter().any(|help| help == login), "{failure:?}");
    }
}

#[tokio::test]
async fn a_server_that_asks_for_patience_is_quoted_and_one_that_is_away_is_named() {
    let server = serve(|_| {
        let after = ("retry-after", "30".to_owned());
        Reply::Whole(429, vec![after], b"slow down".to_vec())
    })
    .await;
    let failure = storage(&server)
        .stat("contexts", "a", None)
        .await
        .expect_err("refused");
    assert_eq!(
        (failure.class, failure.code.exact()),
        (Class::Unavailable, "google.rate-limited")
    );
    assert_eq!(failure.retry_after_ms, Some(30_000));
    let server = serve(|_| Reply::Reset).await;
    let failure = storage(&server)
        .stat("contexts", "a", None)
        .await
        .expect_err("away");
    assert_eq!(
        (failure.class, failure.code.exact()),
        (Class::Unavailable, "google.unreachable")
    );
    assert!(
        failure
            .message
            .contains("get the metadata of gs://contexts/a: 127.0.0.1"),
        "{failure}"
    );
}

fn of_object(size: usize) -> Vec<(&'static str, String)> {
    vec![
        ("x-goog-generation", "7".to_owned()),
        ("x-goog-metageneration", "1".to_owned()),
        ("x-goog-stored-content-length", size.to_string()),
        ("x-goog-stored-content-encoding", "identity".to_owned()),
        ("x-goog-storage-class", "STANDARD".to_owned()),
    ]
}

#[tokio::test]
async fn a_read_that_is_cut_goes_on_where_it_was() {
    let whole: Vec<u8> = (0..100_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let sent = whole.clone();
    let server = serve(move |request| match request.headers.get("range") {
        Some(range) if range.starts_with("bytes=40000-") => {
            let rest = sent[40_000..].to_vec();
            let range = ("content-range", format!("bytes 40000-99999/{}", sent.len()));
            Reply::Whole(206, [of_object(sent.len()), vec![range]].concat(), rest)
        }
        Some(range) => panic!("not scripted: {range}"),
        None => Reply::Cut(of_object(sent.len()), sent.clone(), 40_000),
    })
    .await;
    let read = storage(&server).read("contexts", "a", None, 1 << 20).await;
    assert!(read.expect("it goes on") == whole, "the bytes differ");
}

#[tokio::test]
async fn an_endless_body_takes_no_more_than_it_may() {
    let server = serve(|_| Reply::Endless(of_object(1 << 40))).await;
    let failure = storage(&server)
        .read("contexts", "a", None, 1 << 20)
        .await
        .expect_err("it has no end");
    assert_eq!(
        (failure.class, failure.code.exact()),
        (Class::Exhausted, "storage.too-large")
    );
    assert!(server.endless.load(Ordering::Relaxed) < 32 << 20);

    let server = serve(|_| Reply::Endless(Vec::new())).await;
    let failure = storage(&server)
        .stat("contexts", "a", None)
        .await
        .expect_err("it has no end");
    assert_eq!(
        (failure.class, failure.code.exact()),
        (Class::Exhausted, "http.too-large")
    );
    assert!(server.endless.load(Ordering::Relaxed) < 40 << 20);
}

// The clock advances only while everything waits.
#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_any_more_is_given_up() {
    let stalled = serve(|_| Reply::Stalled(of_object(10), b"half".to_vec())).await;
    let silent = serve(|_| Reply::Silence).await;
    let read = storage(&stalled).read("contexts", "a", None, 1 << 20).await;
    let opened = storage(&stalled)
        .open("contexts", "a", None, &std::env::temp_dir(), space(1 << 20))
        .await
        .map(drop);
    let put = put(&silent, b"the bytes".to_vec()).await.map(drop);
    // Not even the head of an answer comes.
    let unread = storage(&silent).read("contexts", "a", None, 1 << 20).await;
    let unopened = storage(&silent)
        .open("contexts", "a", None, &std::env::temp_dir(), space(1 << 20))
        .await
        .map(drop);
    let (read, unread) = (read.map(drop), unread.map(drop));
    for result in [read, opened, put, unread, unopened] {
        let failure = result.expect_err("nothing comes");
        assert_eq!(
            (failure.class, failure.code.exact()),
            (Class::Unavailable, "google.silent")
        );
    }
    let failure = storage(&silent)
        .stat("contexts", "a", None)
        .await
        .expect_err("nothing comes");
    assert_eq!(failure.class, Class::Unavailable);
}

#[tokio::test]
async fn a_generation_that_was_replaced_is_gone() {
    let server = serve(|request: Request| {
        assert_eq!(request.query["ifGenerationMatch"], "7");
        refusal(412, "conditionNotMet")
    })
    .await;
    storage(&server)
        .delete("contexts", "a", 7)
        .await
        .expect("it is gone");
}

#[tokio::test]
async fn a_composition_is_sent_with_all_preconditions_and_again_only_if_that_replaces_nothing() {
    let of_generation = Some(3);
    for (if_generation_match, requests) in [(None, 1), (of_generation, 2)] {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let server = serve(move |request: Request| {
            assert_eq!(request.query["ifMetagenerationMatch"], "2");
            let generation = request.query.get("ifGenerationMatch").cloned();
            assert_eq!(
                generation,
                if_generation_match.map(|number: u64| number.to_string())
            );
            if count.fetch_add(1, Ordering::Relaxed) == 0 {
                return Reply::Reset;
            }
            refusal(403, "forbidden")
        })
        .await;
        let write = Write {
            if_generation_match,
            if_metageneration_match: Some(2),
            ..Write::default()
        };
        let sources = [("part".to_owned(), None)];
        let not_created = storage(&server)
            .compose("contexts", "whole", &sources, &write)
            .await
            .expect_err("the answer is lost");
        assert!(not_created.may_exist(), "{not_created:?}");
        assert_eq!(asked.load(Ordering::Relaxed), requests);
    }
}

#[tokio::test]
async fn an_object_without_an_end_fills_no_more_than_its_share_of_the_disk() {
    let server = serve(|_| Reply::Endless(of_object(1 << 40))).await;
    let folder = tempfile::tempdir().expect("a folder");
    let disk = Disk::new(1 << 20);
    let opened = storage(&server)
        .open("contexts", "a", None, folder.path(), disk.space())
        .await;
    let failure = opened.map(drop).expect_err("it has no end");
    assert_eq!(
        (failure.class, failure.code.exact()),
        (Class::Exhausted, "limit.disk")
    );
    assert_eq!(disk.space().take(1 << 20), Ok(()), "it is given back");
}
