//! Answers that no API of Google sends, and answers without an end.

use serde_json::json;
use sidestep_events::{Class, Failure};

use super::server::{Answer, Server, failure, get};
use crate::Service;
use crate::retry::TRIES;

/// One byte more than an answer may have.
const TOO_LARGE: usize = 8 * 1024 * 1024 + 1;

#[tokio::test]
async fn an_answer_has_a_limit() {
    // Blanks around a value are JSON.
    let blanks = |count: usize| Answer::Text(200, " ".repeat(count - 2) + "{}");
    let server = Server::new([blanks(TOO_LARGE - 1)]).await;
    let found = get(&server.rest(), Service::Iam).await;
    assert_eq!(found.expect("it is small enough"), json!({}));
    let (failure, tried) = failure(Service::Iam, blanks(TOO_LARGE)).await;
    assert_eq!(
        (failure.class, failure.code.exact(), tried),
        (Class::Exhausted, "http.too-large", 1)
    );
}

#[tokio::test]
async fn a_proxy_s_page_is_no_answer_of_the_api() {
    let page = || "<html>Sign in</html>".to_owned();
    for (status, code, message, tries) in [
        (
            200,
            "http.not-json",
            "cannot look: the answer is not JSON",
            1,
        ),
        (403, "google.permission-denied", "cannot look: HTTP 403", 1),
        (407, "google.failed", "cannot look: HTTP 407", 1),
        (503, "google.unavailable", "cannot look: HTTP 503", TRIES),
    ] {
        let (failure, tried) = failure(Service::Iam, Answer::Text(status, page())).await;
        assert_eq!((failure.code.exact(), tried), (code, tries), "{status}");
        assert!(failure.message.exact().starts_with(message), "{failure}");
    }
}

#[tokio::test]
async fn an_answer_of_another_form_is_unexpected() {
    for body in ["", "null", "[]", "\"x\"", "{\"name\": 1}"] {
        #[derive(Debug, serde::Deserialize)]
        struct Named {
            #[serde(default)]
            name: String,
        }
        let server = Server::new([Answer::Text(200, body.to_owned())]).await;
        let rest = server.rest();
        let found: Result<Named, _> = rest.get("look", Service::Iam, "/v1/x").await;
        let failure = match found {
            Ok(Named { name }) => panic!("{body}: {name}"),
            Err(failure) => failure,
        };
        assert_eq!(failure.code, "http.unexpected", "{body}");
        assert_eq!(server.paths().len(), 1);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Server::new([Answer::json(200, &json!({}))]).await;
    let elsewhere = ("location", target.base.clone());
    for status in [301, 302, 307, 308] {
        let answer = Answer::With(status, elsewhere.clone(), String::new());
        let (failure, tried) = failure(Service::Iam, answer).await;
        assert_eq!((failure.code.exact(), tried), ("google.failed", 1));
    }
    assert_eq!(target.paths(), [""; 0]);
}

#[tokio::test]
async fn a_list_is_read_page_by_page_to_a_limit() {
    let page = |item: u32, next: Option<&str>| {
        Answer::json(200, &json!({"items": [item], "nextPageToken": next}))
    };
    let list = async |server: &Server| -> Result<Vec<u32>, Failure> {
        let rest = server.rest();
        rest.list("list", Service::Iam, "/v1/x", "items").await
    };
    let empty = Answer::json(200, &json!({"nextPageToken": "b&c=/"}));
    let server = Server::new([page(1, Some("a")), empty, page(2, None)]).await;
    assert_eq!(list(&server).await.expect("a list"), [1, 2]);
    assert_eq!(
        server.paths(),
        [
            "/v1/x?pageSize=100",
            "/v1/x?pageSize=100&pageToken=a",
            "/v1/x?pageSize=100&pageToken=b%26c%3D%2F",
        ]
    );
    let server = Server::new([page(1, Some("a"))]).await;
    let failure = list(&server).await.expect_err("it has no end");
    assert_eq!(failure.code, "google.too-many");
    assert_eq!(server.paths().len(), 50);
}
