//! An API server without a socket: a test defines its answers, down to each byte and each lost
//! connection.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use futures::{StreamExt as _, stream};
use kube::Client;
use serde_json::{Value, json};
use sidestep_kubernetes::Bounds;
use tokio_util::sync::CancellationToken;
use tower::Layer as _;
use url::Url;

/// The size of a chunk of an endless body, in bytes.
const CHUNK: usize = 16 << 10;

/// The kind of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    ListPods,
    WatchPods,
    ListEvents,
    WatchEvents,
    Log,
    Get,
    Create,
    Apply,
    Delete,
    /// The list of the kinds that are served.
    Discovery,
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) kind: Kind,
    /// The number of earlier requests of its kind.
    pub(crate) nth: usize,
    pub(crate) query: HashMap<String, String>,
    pub(crate) body: Value,
}

/// The server's reaction to it.
pub(crate) enum Answer {
    Json(u16, Value),
    Stream(Vec<Part>),
    /// A status, a text that is no JSON of the API.
    Text(u16, &'static str),
    /// A status, and a body without an end. Counts the bytes that are read of it.
    Endless(u16, Arc<AtomicUsize>),
    /// The connection is reset before an answer.
    Lost,
    /// There is no connection.
    Refused,
}

/// A part of a body.
#[derive(Clone)]
pub(crate) enum Part {
    Bytes(Vec<u8>),
    /// Sends nothing until the token is cancelled.
    Until(CancellationToken),
    /// The connection is lost.
    Cut,
    /// Sends nothing more, and does not end.
    Silence,
}

impl Part {
    /// An event of a watch.
    pub(crate) fn event(kind: &str, object: &Value) -> Self {
        Self::Bytes(format!("{}\n", json!({"type": kind, "object": object})).into_bytes())
    }
}

/// Returns a client of a server with these answers.
pub(crate) fn client(answer: impl Fn(&Call) -> Answer + Send + Sync + 'static) -> Client {
    let answer = Arc::new(answer);
    let counts: Arc<Mutex<HashMap<Kind, usize>>> = Arc::default();
    let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
        let (answer, counts) = (answer.clone(), counts.clone());
        async move {
            let call = read(request, &counts).await;
            match answer(&call) {
                Answer::Lost => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
                Answer::Refused => Err(io::Error::from(io::ErrorKind::ConnectionRefused)),
                Answer::Json(code, value) => Ok(answer_of(code, Body::from(value.to_string()))),
                Answer::Stream(parts) => Ok(http::Response::new(body(parts))),
                Answer::Text(code, text) => Ok(answer_of(code, Body::from(text))),
                Answer::Endless(code, read) => Ok(answer_of(code, endless(read))),
            }
        }
    });
    // As every client of the crate.
    Client::new(Bounds.layer(service), "builds")
}

fn answer_of(code: u16, body: Body) -> http::Response<Body> {
    let answer = http::Response::builder().status(code).body(body);
    answer.expect("a response")
}

fn endless(read: Arc<AtomicUsize>) -> Body {
    Body::from_stream(stream::repeat_with(move || {
        read.fetch_add(CHUNK, Ordering::Relaxed);
        Ok::<_, io::Error>(Bytes::from_static(&[b' '; CHUNK]))
    }))
}

async fn read(
    request: http::Request<kube::client::Body>,
    counts: &Mutex<HashMap<Kind, usize>>,
) -> Call {
    let (head, body) = request.into_parts();
    let url = Url::parse("http://cluster.example")
        .and_then(|base| base.join(&head.uri.to_string()))
        .expect("a URL");
    let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
    let watch = query.get("watch").is_some_and(|watch| watch == "true");
    let parts: Vec<&str> = url.path().split('/').skip(5).collect();
    let kind = match (head.method.as_str(), &parts[..]) {
        ("GET", ["pods"]) if watch => Kind::WatchPods,
        ("GET", ["pods"]) => Kind::ListPods,
        ("GET", ["events"]) if watch => Kind::WatchEvents,
        ("GET", ["events"]) => Kind::ListEvents,
        ("GET", ["pods", _, "log"]) => Kind::Log,
        ("GET", ["pods", _]) => Kind::Get,
        ("POST", ["pods"]) => Kind::Create,
        ("DELETE", ["pods", _]) => Kind::Delete,
        ("PATCH", ["pods", _]) => Kind::Apply,
        ("GET", []) => Kind::Discovery,
        other => panic!("not scripted: {other:?}"),
    };
    let body = body.collect_bytes().await.expect("a body");
    let mut counts = counts.lock().expect("no test panics holding it");
    let count = counts.entry(kind).or_default();
    *count += 1;
    Call {
        kind,
        nth: *count - 1,
        query,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    }
}

fn body(parts: Vec<Part>) -> Body {
    Body::from_stream(stream::iter(parts).flat_map(|part| {
        match part {
            Part::Bytes(bytes) => stream::iter([Ok(Bytes::from(bytes))]).boxed(),
            Part::Until(token) => stream::once(async move { token.cancelled().await })
                .filter_map(|()| async { None })
                .boxed(),
            Part::Cut => {
                stream::iter([Err(io::Error::from(io::ErrorKind::ConnectionReset))]).boxed()
            }
            Part::Silence => stream::pending().boxed(),
        }
    }))
}

/// Returns the answer to a list request.
pub(crate) fn list(items: &[Value]) -> Answer {
    Answer::Json(
        200,
        json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items}),
    )
}

/// Returns a `Status` of the API.
pub(crate) fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure",
        "code": code, "reason": reason, "message": message,
    })
}

/// Returns the pod in a state, at a version.
pub(crate) fn pod(version: u32, phase: &str, container: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "build", "namespace": "builds", "uid": "u1",
            "resourceVersion": version.to_string(),
        },
        "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "x"}]},
        "status": {
            "phase": phase,
            "containerStatuses": [{
                "name": "main", "image": "x", "imageID": "", "ready": false, "restartCount": 0,
                "state": container,
            }],
        },
    })
}

pub(crate) fn waiting() -> Value {
    json!({"waiting": {"reason": "ContainerCreating"}})
}

pub(crate) fn running() -> Value {
    json!({"running": {"startedAt": "2026-11-24T04:30:00Z"}})
}

pub(crate) fn ended(code: i32) -> Value {
    json!({"terminated": {"exitCode": code, "containerID": "containerd://c1"}})
}

/// Returns the answer to requests for events that do not matter.
pub(crate) fn no_events(call: &Call) -> Answer {
    match call.kind {
        Kind::ListEvents => list(&[]),
        Kind::WatchEvents => Answer::Stream(vec![Part::Silence]),
        other => panic!("not scripted: {other:?}"),
    }
}
