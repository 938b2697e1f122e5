//! Servers that answer differently from Google.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::any;
use futures::StreamExt as _;
use serde_json::{Value, json};
use sidestep_bindings::sidestep::host::types::Failure as WitFailure;
use sidestep_bindings::sidestep::identity::prove as wit;
use sidestep_google::Service;
use sidestep_policy::Capability as Key;
use tokio::sync::mpsc;

use sidestep_test_harness::serve;

use super::sandbox::{BUILDER, Prover, TestSandbox, anything, broken, subject};

/// Returns the result of a token exchange with this server.
async fn exchange_with(router: Router, patience: Duration) -> WitFailure {
    let url = serve(router).await;
    let place = TestSandbox::new("healthy")
        .await
        .moved(Service::SecureToken, &url);
    let mut identity = place.identity();
    identity.patience = patience;
    let mut prover = Prover::new(identity, &[(Key::Identity, anything())]);
    let proof = prover.proof(subject("kaniko", Some(BUILDER))).await;
    let (link, failure) = broken(&proof);
    assert_eq!(link, wit::Link::Exchange);
    failure.clone()
}

#[tokio::test]
async fn an_answer_without_an_end_is_cut_off() {
    let endless = || async {
        let chunks = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 1 << 16]));
        Body::from_stream(chunks).into_response()
    };
    let failure = exchange_with(Router::new().fallback(any(endless)), Duration::from_mins(1)).await;
    assert_eq!(
        (&*failure.class, &*failure.code),
        ("exhausted", "http.too-large")
    );
}

#[tokio::test]
async fn an_answer_that_drips_is_not_waited_for() {
    let drip = || async {
        let bytes = futures::stream::repeat(()).then(|()| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok::<_, std::io::Error>("{")
        });
        Body::from_stream(bytes).into_response()
    };
    let failure = exchange_with(
        Router::new().fallback(any(drip)),
        // The requests before it must succeed in this time.
        Duration::from_secs(5),
    )
    .await;
    assert_eq!(
        (&*failure.class, &*failure.code),
        ("unavailable", "google.unreachable")
    );
}

#[tokio::test]
async fn a_page_in_place_of_an_answer_is_named() {
    let page = || async { Html("<html>sign in</html>") };
    let failure = exchange_with(Router::new().fallback(any(page)), Duration::from_secs(10)).await;
    assert_eq!(
        (&*failure.class, &*failure.code),
        ("failed", "http.not-json")
    );
    let no_token = || async { axum::Json(json!({"access_token": null})) };
    let failure = exchange_with(
        Router::new().fallback(any(no_token)),
        Duration::from_secs(10),
    )
    .await;
    assert_eq!(failure.code, "identity.no-token-in-answer");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let reached = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reached);
    let elsewhere = serve(Router::new().fallback(any(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async { axum::Json(json!({"access_token": "a token of somebody else"})) }
    })))
    .await;
    let redirect = move || {
        let location = [(header::LOCATION, elsewhere.clone())];
        async move { (StatusCode::TEMPORARY_REDIRECT, location).into_response() }
    };
    let failure: WitFailure = exchange_with(
        Router::new().fallback(any(redirect)),
        Duration::from_secs(10),
    )
    .await;
    assert_eq!(failure.class, "failed");
    assert!(failure.message.contains("HTTP 307"), "{failure:?}");
    assert_eq!(reached.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn an_answer_that_may_come_later_is_asked_for_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let busy = move || -> std::future::Ready<Response> {
        count.fetch_add(1, Ordering::Relaxed);
        std::future::ready(StatusCode::SERVICE_UNAVAILABLE.into_response())
    };
    let failure = exchange_with(Router::new().fallback(any(busy)), Duration::from_mins(1)).await;
    assert_eq!(
        (&*failure.class, &*failure.code),
        ("unavailable", "google.unavailable")
    );
    assert_eq!(asked.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn the_provider_is_sent_as_it_is() {
    let (send, mut sent) = mpsc::unbounded_channel::<Value>();
    let record = move |axum::Json(body): axum::Json<Value>| {
        send.send(body).expect("the test reads");
        async {
            let refusal = json!({"error": "invalid_grant", "error_description": "no"});
            (StatusCode::BAD_REQUEST, axum::Json(refusal)).into_response()
        }
    };
    let url = serve(Router::new().fallback(any(record))).await;
    let place = TestSandbox::new("healthy")
        .await
        .moved(Service::SecureToken, &url);
    let mut fleet = subject("kaniko", None);
    fleet.pool = "fleet.svc.id.goog".to_owned();
    fleet.provider =
        "https://gkehub.googleapis.com/projects/fleet/locations/global/memberships/ci".to_owned();
    let proof = place.prove(fleet).await;
    let (_, failure) = broken(&proof);
    assert_eq!(failure.code, "identity.subject-refused");
    let body = sent.recv().await.expect("it was asked");
    assert_eq!(
        body["audience"],
        "identitynamespace:fleet.svc.id.goog:https://gkehub.googleapis.com/projects/fleet/locations/global/memberships/ci"
    );
}
