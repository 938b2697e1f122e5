//! The headers of requests.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use sidestep_handles::Secret;

use super::server::{Answer, MINUTE, Server, get};
use crate::{Credentials, Endpoints, Rest, Service};

#[tokio::test]
async fn a_request_states_its_client_and_its_credentials() {
    let server = Server::new([Answer::json(200, &json!({}))]).await;
    let credentials = Credentials::token(&Secret::new("ya29.token"));
    let rest = server.rest_as(credentials, MINUTE);
    get(&rest, Service::Iam).await.expect("an answer");
    let headers = server.headers();
    assert_eq!(headers["authorization"], "Bearer ya29.token");
    let client = headers["x-goog-api-client"].to_str().expect("text");
    let words: Vec<&str> = client.split(' ').collect();
    let [language, program] = words[..] else {
        panic!("{client}");
    };
    assert!(language.starts_with("gl-rust/"), "{client}");
    assert!(program.starts_with("sidestep/"), "{client}");
    assert_eq!(headers["host"], server.base.trim_start_matches("http://"));
    assert!(!headers.contains_key("x-goog-request-params"));
}

/// The credentials name the project that a call is charged to.
#[tokio::test]
async fn every_header_of_the_credentials_is_sent() {
    let server = Server::new([Answer::json(200, &json!({}))]).await;
    let billed = HeaderValue::from_static("billed");
    let headers = HeaderMap::from_iter([(HeaderName::from_static("x-goog-user-project"), billed)]);
    let rest = server.rest_as(Credentials::fixed(headers), MINUTE);
    get(&rest, Service::Iam).await.expect("an answer");
    assert_eq!(server.headers()["x-goog-user-project"], "billed");
}

#[tokio::test]
async fn an_emulator_of_cloud_storage_gets_no_credentials() {
    let server = Server::new([Answer::json(200, &json!({}))]).await;
    let mut endpoints = Endpoints::default();
    endpoints.set_storage_emulator(server.base.parse().expect("a URL"));
    let credentials = Arc::new(Credentials::token(&Secret::new("ya29.token")));
    let rest = Rest::new(Arc::new(endpoints), credentials, MINUTE);
    get(&rest, Service::Storage).await.expect("an answer");
    assert!(!server.headers().contains_key("authorization"));
}
