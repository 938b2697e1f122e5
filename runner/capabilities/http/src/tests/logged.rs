use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use sidestep_tracing::{Format, Options, Redactor, To, install};

use super::*;

const TOKEN: &str = "t0ken-of-a-hook";
const KEY: &str = "k3y-in-a-query";
const COOKIE: &str = "c00kie-of-a-hook";
const SIGNATURE: &str = "5eed0fa51gnature";

/// The runner's masks do not take part: no library may log a secret of a request at all.
#[tokio::test]
async fn no_secret_of_a_request_is_in_the_loudest_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("log");
    let log = install(Options {
        filter: "*=trace".parse().expect("a filter"),
        format: Format::Text,
        to: To::File(file.clone()),
        redactor: Redactor::new(str::to_owned),
    });
    let log = log.expect("a log");
    let refuse = |uri: Uri, headers: HeaderMap| async move {
        let status = match uri.path() {
            "/401" => StatusCode::UNAUTHORIZED,
            "/503" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::TEMPORARY_REDIRECT,
        };
        let told = headers["authorization"].to_str().expect("text").to_owned();
        let elsewhere = format!("https://{HOST}/signed?X-Goog-Signature={SIGNATURE}");
        let told = [
            ("set-cookie", format!("front={COOKIE}; Path=/")),
            ("location", elsewhere),
            ("x-echo", told),
        ];
        (status, told, format!("not now, {uri}")).into_response()
    };
    let (mut state, _) = state(Router::new().fallback(any(refuse)), &everything()).await;
    for (path, status) in [("/401", 401), ("/503", 503), ("/moved", 307)] {
        let mut request = request("POST", path);
        let value = secret(&mut state, &format!("Bearer {TOKEN}"));
        let name = "Authorization".into();
        request.headers.push(wit::Field { name, value });
        let value = secret(&mut state, KEY);
        let name = "key".into();
        request.query.push(wit::Field { name, value });
        let answer = state.send(request).await.expect("an answer");
        assert_eq!(answer.status, status);
    }
    log.finish();
    let log = std::fs::read_to_string(file).expect("a log");
    for library in ["hyper_util", "rustls"] {
        assert!(log.contains(library), "{library} logs nothing");
    }
    for line in log.lines() {
        for secret in [TOKEN, KEY, COOKIE, SIGNATURE] {
            assert!(!line.contains(secret), "{secret} in {line}");
        }
    }
}
