mod attacks;
mod logged;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body as Sent, Bytes};
use axum::http::{HeaderMap, Uri};
use axum::response::Redirect;
use axum::routing::{any, get};
use serde_json::{Value, json};
use sidestep_bindings::sidestep::host::types::Part;
use sidestep_gate::{Blob, CallError, Disk, Secret, Services, StepState};
use sidestep_gate_testing::{Kept, state_with};
use sidestep_internet_testing::Internet;
use sidestep_policy::Capability;
use sidestep_transport::{self as transport, Public};
use wasmtime::component::Resource;

use super::wit::{self, Host as _};
use super::{Calls, HttpClient};

const HOST: &str = "hooks.example.com";
/// An address of the public internet. No test really connects to it.
const PUBLIC: &str = "93.184.215.14";

/// Returns a client in this internet.
fn client_in(internet: &Internet) -> HttpClient {
    let world = internet.builder(true);
    HttpClient(Public::new(move |_| {
        world(transport::builder().https_only(true))
    }))
}

/// Returns a step that may send to `hooks.example.com`, which is a server on this machine.
async fn state(router: Router, granted: &Value) -> (Calls<'static>, Arc<Kept>) {
    let world = Internet::new(&[HOST]);
    let address = world.serve(router).await;
    let world = world.named(HOST, &[PUBLIC]).routed(PUBLIC, address);
    step_in(&Arc::new(client_in(&world)), granted)
}

/// Returns a step that sends with this client.
fn step_in(client: &Arc<HttpClient>, granted: &Value) -> (Calls<'static>, Arc<Kept>) {
    let services = Services::default().with(Arc::clone(client));
    let (state, kept) = state_with(&[(Capability::Http, granted.clone())], services);
    (Calls(state), kept)
}

fn everything() -> Value {
    json!([{ "host": "**", "ports": "*" }])
}

fn request(method: &str, path: &str) -> wit::Request {
    wit::Request {
        method: method.into(),
        url: format!("https://{HOST}{path}"),
        query: Vec::new(),
        headers: Vec::new(),
        body: None,
        timeout: None,
        max_response: 1 << 20,
    }
}

fn failed(answer: Result<wit::Response, CallError>) -> sidestep_events::Failure {
    match answer {
        Ok(answer) => panic!("{answer:?}"),
        Err(CallError::Failure(failure)) => *failure,
        Err(CallError::Trap(trap)) => panic!("{trap:?}"),
    }
}

fn secret(state: &mut StepState, text: &str) -> Part {
    state.step.masks.add(text).expect("maskable");
    let handle = state.table.push(Secret::new(text)).expect("room");
    Part::Secret(Resource::new_borrow(handle.rep()))
}

#[tokio::test]
async fn a_request_carries_secrets_and_its_answer_does_not() {
    let echo = |uri: Uri, headers: HeaderMap, body: String| async move {
        let token = headers["authorization"].to_str().expect("text").to_owned();
        let query = uri.query().unwrap_or_default().to_owned();
        (
            [("x-echo", token.clone())],
            format!("{token} {query} {body}"),
        )
    };
    let granted = json!([{ "host": HOST, "methods": ["POST"], "paths": "/hooks/*" }]);
    let (mut state, kept) = state(Router::new().fallback(any(echo)), &granted).await;
    let token = secret(&mut state, "Bearer hunter22");
    let key = secret(&mut state, "s3cr3t-key");
    let mut request = request("POST", "/hooks/a");
    request.headers.push(wit::Field {
        name: "Authorization".into(),
        value: token,
    });
    request.query.push(wit::Field {
        name: "key".into(),
        value: Part::Text("a b&c".into()),
    });
    request.body = Some(wit::Body::Parts(vec![Part::Text("with ".into()), key]));
    let answer = state.send(request).await.expect("an answer");
    assert_eq!((answer.status, answer.truncated), (200, false));
    let body = String::from_utf8(answer.body).expect("text");
    assert_eq!(body, "*** key=a+b%26c with ***");
    let echoed = answer.headers.iter().find(|header| header.name == "x-echo");
    assert_eq!(echoed.expect("a header").value, "***");
    assert_eq!(
        kept.calls()[0].target,
        "POST https://hooks.example.com/hooks/a"
    );
}

#[tokio::test]
async fn a_blob_beyond_the_disk_limit_is_the_plugins() {
    type Make = fn(&mut dyn std::io::Write) -> std::io::Result<()>;
    let echo = |body: Bytes| async move { body };
    let (mut state, _) = state(Router::new().fallback(any(echo)), &everything()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let rows: [(Make, _); 2] = [
        (|out| out.write_all(&[0; 8]), "limit.disk"),
        (
            |_| Err(std::io::Error::other("no such folder")),
            "storage.local-bytes",
        ),
    ];
    for (make, code) in rows {
        let blob = Blob::made(folder.path().to_owned(), Disk::new(4).space(), make);
        let handle = state.table.push(blob).expect("room");
        let mut request = request("POST", "/echo");
        request.body = Some(wit::Body::Blob(Resource::new_borrow(handle.rep())));
        let failure = failed(state.send(request).await);
        assert_eq!(failure.code, code, "{failure:?}");
    }
}

#[tokio::test]
async fn a_blob_is_sent_and_an_answer_is_cut_between_secrets() {
    let echo = |body: Bytes| async move { body };
    let endless = || async {
        let chunks = futures::stream::repeat_with(|| {
            Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 65536]))
        });
        Sent::from_stream(chunks)
    };
    let router = Router::new()
        .route("/echo", any(echo))
        .route("/endless", get(endless));
    let (mut state, _) = state(router, &everything()).await;
    let _ = secret(&mut state, "hunter22");
    let blob = Blob::from_bytes(&b"0123456789 hunter22 and more"[..]);
    let blob = state.table.push(blob).expect("room");
    for most in 0..28 {
        let mut request = request("PUT", "/echo");
        let handle = Resource::new_borrow(blob.rep());
        request.body = Some(wit::Body::Blob(handle));
        request.max_response = most;
        let answer = state.send(request).await.expect("an answer");
        let whole = "0123456789 *** and more";
        let most = usize::try_from(most).expect("small").min(whole.len());
        assert_eq!(answer.body, whole.as_bytes()[..most]);
        assert_eq!(answer.truncated, most < whole.len());
    }
    let mut request = request("GET", "/endless");
    request.max_response = u64::MAX;
    let answer = state.send(request).await.expect("an answer");
    assert_eq!((answer.body.len(), answer.truncated), (4 << 20, true));
}

#[tokio::test]
async fn no_permission_no_request() {
    let (mut state, kept) = state(
        Router::new().fallback(any(|| async { "reached" })),
        &json!([{ "host": HOST, "methods": ["GET"], "paths": "/a/*" }]),
    )
    .await;
    for (method, path, code) in [
        ("POST", "/a/b", "grant.scope"),
        ("GET", "/b", "grant.scope"),
        ("GET", "/a/../b", "http.request"),
        ("GET", "/a/%2e%2e/b", "http.request"),
    ] {
        let failure = failed(state.send(request(method, path)).await);
        assert_eq!(failure.code, code, "{method} {path}: {failure:?}");
    }
    let mut elsewhere = request("GET", "/a/b");
    elsewhere.url = "https://hooks.example.com.evil.example/a/b".into();
    let failure = failed(state.send(elsewhere).await);
    assert_eq!(failure.code, "grant.scope");
    assert!(kept.calls().iter().all(|call| !call.allowed));
    let answer = state.send(request("GET", "/a/b")).await.expect("granted");
    assert_eq!(answer.body, b"reached");
}

#[tokio::test]
async fn only_public_addresses_are_reached() {
    let (mut state, _) = state(Router::new(), &everything()).await;
    for host in [
        "127.0.0.1",
        "169.254.169.254",
        "[::1]",
        "[fd20:ce::254]",
        "localhost",
        "metadata.google.internal",
        "intranet",
    ] {
        let mut request = request("GET", "/");
        request.url = format!("https://{host}/");
        let failure = failed(state.send(request).await);
        assert_eq!(failure.code, "http.address", "{host}: {failure:?}");
    }
}

#[tokio::test]
async fn what_is_no_request_is_not_sent() {
    let (mut state, _) = state(Router::new(), &everything()).await;
    for url in [
        "http://hooks.example.com/",
        "https://user:password@hooks.example.com/",
        "https://hooks.example.com/?a=b",
        "https://hooks.example.com/#a",
        "file:///etc/passwd",
        "hooks.example.com",
        "",
    ] {
        let mut request = request("GET", "/");
        request.url = url.into();
        let failure = failed(state.send(request).await);
        assert_eq!(failure.code, "http.request", "{url}: {failure:?}");
        assert!(!failure.message.contains("password"), "{failure:?}");
    }
    for method in ["get", "CONNECT", "", "GET /x HTTP/1.1\r\n"] {
        let failure = failed(state.send(request(method, "/")).await);
        assert_eq!(failure.code, "http.request", "{failure:?}");
    }
    for (name, value) in [
        ("Host", "x"),
        ("Content-Length", "1"),
        ("a b", "c"),
        ("a", "b\r\nc: d"),
    ] {
        let mut request = request("GET", "/");
        request.headers.push(wit::Field {
            name: name.into(),
            value: Part::Text(value.into()),
        });
        let failure = failed(state.send(request).await);
        assert_eq!(failure.code, "http.request", "{failure:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_a_silent_host_times_out() {
    let router = Router::new()
        .route(
            "/moved",
            get(|| async { Redirect::temporary("https://elsewhere.example/") }),
        )
        .route("/silent", get(std::future::pending::<()>));
    let (mut state, _) = state(router, &everything()).await;
    let answer = state
        .send(request("GET", "/moved"))
        .await
        .expect("an answer");
    assert_eq!(answer.status, 307);
    let mut request = request("GET", "/silent");
    request.timeout = Some(50);
    let failure = failed(state.send(request).await);
    assert_eq!(
        (failure.class, failure.code.exact()),
        (sidestep_events::Class::TimedOut, "http.timeout")
    );
}

#[tokio::test]
async fn an_answer_shows_a_denial_or_that_the_service_is_away() {
    use sidestep_events::Evidence::{Contact, Denied, Unavailable};
    let answer = |uri: Uri| async move {
        let status = uri.path().trim_start_matches('/').parse::<u16>();
        axum::http::StatusCode::from_u16(status.expect("a number")).expect("a status")
    };
    let router = Router::new().fallback(any(answer));
    for (status, expected) in [
        (200, &[Contact][..]),
        (404, &[Contact]),
        (403, &[Contact, Denied]),
        (429, &[Contact, Unavailable]),
        (503, &[Contact, Unavailable]),
    ] {
        let (mut state, _) = state(router.clone(), &everything()).await;
        let sent = state.send(request("GET", &format!("/{status}"))).await;
        assert_eq!(sent.expect("an answer").status, status);
        let shown = sidestep_events::Evidence::ALL
            .into_iter()
            .filter(|evidence| state.gate.shown().has(*evidence));
        assert_eq!(shown.collect::<Vec<_>>(), expected, "{status}");
    }
}
