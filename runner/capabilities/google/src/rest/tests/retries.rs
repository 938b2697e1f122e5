//! Retries, and what a failed request may have done.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use sidestep_events::Class;

use super::server::{Answer, MINUTE, Server, failure, get};
use crate::retry::TRIES;
use crate::{Credentials, Endpoints, Rest, Service};

#[tokio::test]
async fn only_503_and_429_are_retried_and_by_cloud_storage_every_5xx() {
    let mut cases = Vec::new();
    for (status, iam, storage, class) in [
        (429, TRIES, TRIES, Class::Unavailable),
        (503, TRIES, TRIES, Class::Unavailable),
        (500, 1, TRIES, Class::Unavailable),
        (502, 1, TRIES, Class::Unavailable),
        (504, 1, TRIES, Class::Unavailable),
        (408, 1, TRIES, Class::Unavailable),
        (400, 1, 1, Class::InvalidInput),
        (401, 1, 1, Class::Denied),
        (403, 1, 1, Class::Denied),
        (404, 1, 1, Class::NotFound),
        (409, 1, 1, Class::Conflict),
    ] {
        for (service, tries) in [(Service::Iam, iam), (Service::Storage, storage)] {
            cases.push(async move {
                let (failure, tried) = failure(service, Answer::error(status)).await;
                assert_eq!(
                    (failure.class, tried),
                    (class, tries),
                    "{service:?} {status}"
                );
                assert_eq!(failure.message, "cannot look: no");
            });
        }
    }
    // Their pauses pass at the same time.
    futures::future::join_all(cases).await;
}

#[tokio::test]
async fn the_answer_after_a_retry_counts() {
    let whole = json!({"name": "x"});
    let server = Server::new([
        Answer::error(503),
        Answer::Cut,
        Answer::error(429),
        Answer::json(200, &whole),
    ])
    .await;
    let found = get(&server.rest(), Service::Iam).await;
    assert_eq!(found.expect("the last attempt"), whole);
    assert_eq!(server.paths().len(), 4);
}

#[tokio::test]
async fn a_time_to_wait_for_is_kept_for_the_step_s_retry() {
    let body = json!({"error": {"code": 429, "message": "slow down"}}).to_string();
    let cases = [("7", Some(7000)), ("soon", None)].map(async |(value, milliseconds)| {
        let answer = Answer::With(429, ("retry-after", value.to_owned()), body.clone());
        let (failure, _) = failure(Service::Iam, answer).await;
        assert_eq!(failure.code, "google.rate-limited");
        assert_eq!(failure.retry_after_ms, milliseconds);
    });
    futures::future::join_all(cases).await;
}

#[tokio::test]
async fn a_connection_that_is_cut_or_refused_is_retried_and_then_unreachable() {
    let cut = failure(Service::Iam, Answer::Cut);
    let refused = async {
        // Nobody listens at port 1.
        let mut endpoints = Endpoints::default();
        endpoints.set(Service::Iam, "http://127.0.0.1:1".parse().expect("a URL"));
        let credentials = Arc::new(Credentials::anonymous());
        let rest = Rest::new(Arc::new(endpoints), credentials, MINUTE);
        get(&rest, Service::Iam).await.expect_err("nobody is there")
    };
    let ((cut, tried), refused) = futures::future::join(cut, refused).await;
    assert_eq!(tried, TRIES);
    for failure in [cut, refused] {
        assert_eq!(failure.code, "google.unreachable");
        assert!(failure.message.contains("127.0.0.1"), "{failure}");
    }
}

#[tokio::test]
async fn a_silent_server_is_not_waited_for() {
    let server = Server::new([Answer::Silent]).await;
    let rest = server.rest_as(Credentials::anonymous(), Duration::from_millis(50));
    let failure = get(&rest, Service::Iam).await.expect_err("no answer");
    assert_eq!(
        (failure.class, failure.code.exact()),
        (Class::Unavailable, "google.unreachable")
    );
    assert!(server.paths().len() <= 1, "there was no time for a retry");
}

#[tokio::test]
async fn a_creation_says_whether_it_may_have_been_carried_out() {
    let refused = || Answer::error(403);
    let cases = [
        (vec![refused()], true, false, 1),
        // A request that was too much was refused.
        (vec![Answer::error(429), refused()], true, false, 2),
        (vec![Answer::error(503), refused()], true, true, 2),
        (vec![Answer::Cut, Answer::error(409)], true, true, 2),
        (vec![Answer::error(503), refused()], false, true, 1),
        (vec![Answer::Cut], false, true, 1),
        (vec![Answer::Text(200, "<html>".to_owned())], true, true, 1),
    ];
    let each = cases.map(async |(answers, repeatable, may_exist, requests)| {
        let server = Server::new(answers).await;
        let (rest, body) = (server.rest(), json!({}));
        let made = rest.create("make", Service::Iam, "/v1/x", &body, repeatable);
        let failed = made.await.expect_err("it fails");
        assert_eq!(failed.may_exist(), may_exist, "{failed:?}");
        assert_eq!(server.paths().len(), requests, "{failed:?}");
    });
    futures::future::join_all(each).await;
}
