//! Logs, over connections that end anywhere: no line is lost, and no line comes twice.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use proptest::prelude::*;
use sidestep_gate::{Following as _, Update};
use sidestep_kubernetes::follow::{Gap, PIECE, PodFollow};
use tokio_util::sync::CancellationToken;

use crate::cluster::{
    Answer, Call, Kind, Part, client, ended, list, no_events, pod, running, status,
};
use crate::keep::{Book, Entry, continued, follow, lines, target};

type Line = (Timestamp, Vec<u8>);

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_780_000_000_000 + milliseconds).expect("a time")
}

/// Returns the server's part of a log: the lines since the requested second.
fn sent(log: &[Line], call: &Call) -> Vec<u8> {
    let since: Option<Timestamp> = call
        .query
        .get("sinceTime")
        .map(|text| text.parse().expect("a time"));
    let mut bytes = Vec::new();
    for (stamp, text) in log {
        if since.is_none_or(|since| *stamp >= since) {
            bytes.extend_from_slice(format!("{stamp:.9} ").as_bytes());
            bytes.extend_from_slice(text);
            bytes.push(b'\n');
        }
    }
    bytes
}

/// How a connection ends before its log does.
#[derive(Debug, Clone, Copy)]
struct End {
    /// After this many bytes.
    after: usize,
    /// With a regular end, as when the kubelet rotates the file. Otherwise the connection breaks.
    orderly: bool,
}

/// Returns a pod that runs until the token is cancelled and then ends. `log` answers requests for
/// its log.
fn pod_until(
    over: CancellationToken,
    log: impl Fn(&Call) -> Answer + Send + Sync + 'static,
) -> kube::Client {
    client(move |call| match call.kind {
        Kind::ListPods => list(&[pod(1, "Running", &running())]),
        Kind::WatchPods => Answer::Stream(vec![
            Part::Until(over.clone()),
            Part::event("MODIFIED", &pod(2, "Succeeded", &ended(0))),
            Part::Silence,
        ]),
        Kind::Log => log(call),
        _ => no_events(call),
    })
}

/// Returns a pod that runs while its log's first connections end early, and then ends.
fn cut_log(log: Vec<Line>, while_it_runs: Vec<End>, then: Vec<End>) -> kube::Client {
    let over = CancellationToken::new();
    pod_until(over.clone(), move |call| {
        let follow = call.query.get("follow").is_some_and(|f| f == "true");
        let mut bytes = sent(&log, call);
        let running = while_it_runs.get(call.nth);
        if running.is_none() {
            over.cancel();
        }
        let end = running.or_else(|| then.get(call.nth - while_it_runs.len()));
        let Some(end) = end else {
            return Answer::Stream(vec![Part::Bytes(bytes)]);
        };
        bytes.truncate(end.after);
        let mut parts = vec![Part::Bytes(bytes)];
        // The regular end of a log that is not followed is the end of the log.
        if !end.orderly || !follow {
            parts.push(Part::Cut);
        }
        Answer::Stream(parts)
    })
}

fn texts(log: &[Line]) -> Vec<Vec<u8>> {
    log.iter().map(|(_, text)| text.clone()).collect()
}

/// Runs with a clock that advances only while everything is idle.
fn with_still_clock<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(work)
}

fn nasty() -> Vec<Line> {
    vec![
        (at(0), b"one".to_vec()),
        (at(0), b"same stamp".to_vec()),
        (at(0), b"same stamp".to_vec()),
        (at(400), b"".to_vec()),
        (at(900), b"bar\rbaz\r".to_vec()),
        (at(900), b"\xff\xfe\x00 not UTF-8 \xc3".to_vec()),
        (
            at(1000),
            b"2026-11-24T04:30:27Z a stamp in the text".to_vec(),
        ),
        (at(1000), b"last".to_vec()),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_connection_lost_at_any_byte_gives_the_same_log() {
    let log = nasty();
    let length = 40 * log.len() + 100;
    for after in 0..length {
        for orderly in [false, true] {
            let book = Arc::new(Book::default());
            let end = End { after, orderly };
            let server = cut_log(log.clone(), vec![end], vec![end]);
            follow(server, target(), &book).await.1.expect("it ends");
            let entries = book.entries();
            assert_eq!(lines(&entries, "main"), texts(&log), "{end:?}");
            assert!(
                entries
                    .iter()
                    .all(|entry| matches!(entry, Entry::Piece(..))),
                "{entries:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_runner_killed_after_any_piece_goes_on_where_it_was() {
    let mut log = nasty();
    log.insert(3, (at(300), vec![b'x'; 3 * PIECE]));
    log.push((at(2500), vec![b'y'; 2 * PIECE + 7]));
    for room in 0..20 {
        let killed = Book::until(room);
        let server = cut_log(log.clone(), vec![], vec![]);
        follow(server, target(), &killed).await.1.expect("it ends");
        let next = Arc::new(Book::default());
        let mut resumed = target();
        resumed.positions = killed.positions();
        let server = cut_log(log.clone(), vec![], vec![]);
        follow(server, resumed, &next).await.1.expect("it ends");
        let whole = continued(&killed, &next, "main");
        assert_eq!(lines(&whole, "main"), texts(&log), "after {room} pieces");
    }
}

fn ends() -> impl Strategy<Value = Vec<End>> {
    let end = (0_usize..5 * PIECE, any::<bool>());
    prop::collection::vec(
        end.prop_map(|(after, orderly)| End { after, orderly }),
        0..6,
    )
}

fn log() -> impl Strategy<Value = Vec<Line>> {
    let text = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..60),
        1 => (1_usize..3 * PIECE).prop_map(|length| vec![b'z'; length]),
    ];
    prop::collection::vec((0_i64..1500, text), 1..12).prop_map(|lines| {
        let mut time = 0;
        lines
            .into_iter()
            .map(|(step, mut text)| {
                time += step / 3 * (step % 2);
                text.retain(|byte| *byte != b'\n');
                (at(time), text)
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Holds for any log, any ends of its connections, and any point at which the runner is killed.
    #[test]
    fn every_log_is_read_whole_and_once(
        log in log(),
        running in ends(),
        over in ends(),
        room in 0_usize..24,
    ) {
        // The reader gives up after five consecutive failures without new data.
        let over: Vec<End> = over.into_iter().take(4).collect();
        let whole = with_still_clock(async {
            let killed = Book::until(room);
            let server = cut_log(log.clone(), running.clone(), over.clone());
            follow(server, target(), &killed).await.1.expect("it ends");
            let next = Arc::new(Book::default());
            let mut resumed = target();
            resumed.positions = killed.positions();
            let running = running.iter().copied().take(4).collect();
            let server = cut_log(log.clone(), over, running);
            follow(server, resumed, &next).await.1.expect("it ends");
            continued(&killed, &next, "main")
        });
        prop_assert_eq!(lines(&whole, "main"), texts(&log));
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_that_breaks_all_the_time_brings_the_log_all_the_same() {
    // Each connection brings one more line. Five consecutive failures that bring new data do not
    // count.
    let log: Vec<Line> = (0..40).map(|n| (at(n * 1100), b"line".to_vec())).collect();
    let end = End {
        after: 2 * 36,
        orderly: false,
    };
    let book = Arc::new(Book::default());
    let server = cut_log(log.clone(), vec![], vec![end; 60]);
    follow(server, target(), &book).await.1.expect("it ends");
    assert_eq!(lines(&book.entries(), "main"), texts(&log));
}

#[tokio::test(start_paused = true)]
async fn a_line_of_ten_megabytes_comes_whole_over_a_lost_connection() {
    let log = vec![(at(0), vec![b'x'; 10 << 20]), (at(1), b"after it".to_vec())];
    let book = Arc::new(Book::default());
    let end = End {
        after: 7 << 20,
        orderly: false,
    };
    let server = cut_log(log.clone(), vec![end], vec![]);
    follow(server, target(), &book).await.1.expect("it ends");
    let entries = book.entries();
    assert!(entries.iter().all(|entry| match entry {
        Entry::Piece(_, piece, _) => piece.bytes.len() <= PIECE + 64,
        _ => false,
    }));
    assert!(lines(&entries, "main") == texts(&log), "not the same");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_dies_without_a_word_does_not_hold_up_the_end() {
    let log = nasty();
    let over = CancellationToken::new();
    let bytes = log.clone();
    let server = pod_until(over.clone(), move |call| {
        over.cancel();
        let mut sent = sent(&bytes, call);
        if call.nth > 1 {
            return Answer::Stream(vec![Part::Bytes(sent)]);
        }
        sent.truncate(50);
        Answer::Stream(vec![Part::Bytes(sent), Part::Silence])
    });
    let book = Arc::new(Book::default());
    follow(server, target(), &book).await.1.expect("it ends");
    assert_eq!(lines(&book.entries(), "main"), texts(&log));
}

#[tokio::test(start_paused = true)]
async fn a_quiet_build_is_waited_for() {
    // Hours without a line and without an end are not an error.
    let over = CancellationToken::new();
    let token = over.clone();
    let server = pod_until(token.clone(), move |call| {
        assert_eq!(
            call.nth == 0,
            !token.is_cancelled(),
            "one connection while it runs"
        );
        let line = Part::Bytes(sent(&[(at(0), b"done".to_vec())], call));
        Answer::Stream(vec![Part::Until(token.clone()), line])
    });
    let book = Arc::new(Book::default());
    let outlet = Arc::clone(&book) as Arc<dyn sidestep_kubernetes::follow::Outlet>;
    let mut following = PodFollow::start(server, target(), outlet, Arc::default());
    let hours = std::time::Duration::from_hours(3);
    let first = following.next(hours).await.expect("it runs");
    assert!(matches!(first, Some(Update::Status(_))));
    assert_eq!(following.next(hours).await.expect("it still runs"), None);
    over.cancel();
    while !matches!(
        following.next(hours).await.expect("it ends"),
        Some(Update::Ended(_))
    ) {}
    assert_eq!(lines(&book.entries(), "main"), [b"done".to_vec()]);
}

#[tokio::test(start_paused = true)]
async fn what_rotation_threw_away_is_said() {
    let calls: Arc<Mutex<u32>> = Arc::default();
    let over = CancellationToken::new();
    let server = pod_until(over.clone(), move |call| {
        let mut calls = calls.lock().expect("no panic");
        *calls += 1;
        let (first, later) = ((at(0), b"first".to_vec()), (at(5000), b"later".to_vec()));
        if *calls == 1 {
            return Answer::Stream(vec![Part::Bytes(sent(&[first], call))]);
        }
        over.cancel();
        // The file was rotated: the server only has the lines written since.
        Answer::Stream(vec![Part::Bytes(sent(&[later], call))])
    });
    let book = Arc::new(Book::default());
    follow(server, target(), &book).await.1.expect("it ends");
    let entries = book.entries();
    assert_eq!(
        lines(&entries, "main"),
        [b"first".to_vec(), b"later".to_vec()]
    );
    let (after, before) = (at(0), at(5000));
    let gap = Gap { after, before };
    assert_eq!(entries[1], Entry::Gap("main".to_owned(), gap));
}

#[tokio::test(start_paused = true)]
async fn a_pod_gone_before_the_last_read_keeps_what_was_read_and_says_so() {
    let gone = CancellationToken::new();
    let server = client(move |call| match call.kind {
        Kind::ListPods => list(&[pod(1, "Running", &running())]),
        Kind::WatchPods => Answer::Stream(vec![
            Part::Until(gone.clone()),
            Part::event("DELETED", &pod(2, "Running", &running())),
            Part::Silence,
        ]),
        Kind::Log if call.nth == 0 => {
            let line = Part::Bytes(sent(&[(at(0), b"half a build".to_vec())], call));
            Answer::Stream(vec![line, Part::Cut])
        }
        Kind::Log => {
            gone.cancel();
            let message = r#"pods "build" not found"#;
            Answer::Json(404, status(404, "NotFound", message))
        }
        _ => no_events(call),
    });
    let book = Arc::new(Book::default());
    let (_, end) = follow(server, target(), &book).await;
    assert!(matches!(end, Ok(Update::Ended(_))), "{end:?}");
    let entries = book.entries();
    assert_eq!(lines(&entries, "main"), [b"half a build".to_vec()]);
    let said = Entry::CutOff("main".to_owned(), r#"pods "build" not found"#.to_owned());
    assert_eq!(entries.last(), Some(&said));
}

#[tokio::test(start_paused = true)]
async fn without_the_permission_to_read_logs_the_servers_own_words_are_shown() {
    let over = CancellationToken::new();
    let message = r#"pods "build" is forbidden: User "builder" cannot get resource "pods/log" in API group "" in the namespace "builds""#;
    let server = pod_until(over.clone(), move |_| {
        over.cancel();
        Answer::Json(403, status(403, "Forbidden", message))
    });
    let book = Arc::new(Book::default());
    follow(server, target(), &book).await.1.expect("it ends");
    let said = Entry::CutOff("main".to_owned(), message.to_owned());
    assert_eq!(book.entries(), [said]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_node_does_not_keep_the_end_back() {
    let lost = CancellationToken::new();
    let server = client(move |call| match call.kind {
        Kind::ListPods => list(&[pod(1, "Running", &running())]),
        Kind::WatchPods => Answer::Stream(vec![
            Part::Until(lost.clone()),
            Part::event("MODIFIED", &pod(2, "Failed", &running())),
            Part::Silence,
        ]),
        Kind::Log => {
            lost.cancel();
            let message = "Get \"https://10.0.0.7:10250/containerLogs/builds/build/main\": dial tcp: no route to host";
            Answer::Json(500, status(500, "InternalError", message))
        }
        _ => no_events(call),
    });
    let book = Arc::new(Book::default());
    let (_, end) = follow(server, target(), &book).await;
    assert!(matches!(end, Ok(Update::Ended(_))), "{end:?}");
    let entries = book.entries();
    assert!(
        matches!(&entries[..], [Entry::CutOff(_, why)] if why.contains("no route to host")),
        "{entries:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_container_restarted_in_the_middle_of_a_line_takes_nothing_from_the_next() {
    let over = CancellationToken::new();
    let mut restarts = pod(1, "Running", &running());
    restarts["spec"]["restartPolicy"] = "OnFailure".into();
    let mut last = pod(2, "Succeeded", &ended(0));
    last["spec"]["restartPolicy"] = "OnFailure".into();
    let server = client(move |call| match call.kind {
        Kind::ListPods => list(std::slice::from_ref(&restarts)),
        Kind::WatchPods => Answer::Stream(vec![
            Part::Until(over.clone()),
            Part::event("MODIFIED", &last),
            Part::Silence,
        ]),
        Kind::Log if call.nth == 0 => {
            let mut bytes = sent(&[(at(0), vec![b'x'; 2 * PIECE])], call);
            bytes.truncate(PIECE + 2000);
            Answer::Stream(vec![Part::Bytes(bytes)])
        }
        Kind::Log => {
            over.cancel();
            Answer::Stream(vec![Part::Bytes(sent(
                &[(at(9000), b"the second try".to_vec())],
                call,
            ))])
        }
        _ => no_events(call),
    });
    let book = Arc::new(Book::default());
    follow(server, target(), &book).await.1.expect("it ends");
    let lines = lines(&book.entries(), "main");
    assert_eq!(lines.len(), 2);
    assert!(lines[0].len() >= PIECE - 64 && lines[0].iter().all(|byte| *byte == b'x'));
    assert_eq!(lines[1], b"the second try");
}

#[tokio::test(start_paused = true)]
async fn the_log_of_an_init_container_that_fails_is_read() {
    let mut failed = pod(1, "Failed", &crate::cluster::waiting());
    failed["status"]["initContainerStatuses"] = serde_json::json!([{
        "name": "fetch", "image": "x", "imageID": "", "ready": false, "restartCount": 0,
        "state": ended(1),
    }]);
    let server = client(move |call| match call.kind {
        Kind::ListPods => list(std::slice::from_ref(&failed)),
        Kind::WatchPods => Answer::Stream(vec![Part::Silence]),
        Kind::Log => {
            assert_eq!(call.query["container"], "fetch");
            let line = (at(0), b"no such bucket".to_vec());
            Answer::Stream(vec![Part::Bytes(sent(&[line], call))])
        }
        _ => no_events(call),
    });
    let book = Arc::new(Book::default());
    let (updates, end) = follow(server, target(), &book).await;
    assert!(matches!(end, Ok(Update::Ended(_))), "{end:?}");
    assert_eq!(updates.len(), 1);
    assert_eq!(
        lines(&book.entries(), "fetch"),
        [b"no such bucket".to_vec()]
    );
    assert!(book.entries().len() == 1, "nothing is said of the other");
}
