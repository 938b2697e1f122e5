//! A server that answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request as Received;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use serde_json::{Value, json};
use sidestep_events::Failure;
use sidestep_test_harness::serve;

use crate::{Credentials, Endpoints, Rest, Service};

pub(super) const MINUTE: Duration = Duration::from_mins(1);

/// One answer of the server.
#[derive(Clone)]
pub(super) enum Answer {
    /// A status and a body.
    Text(u16, String),
    /// A status, one header and a body.
    With(u16, (&'static str, String), String),
    /// The beginning of a body, after which the connection is cut.
    Cut,
    /// No answer at all.
    Silent,
}

impl Answer {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::Text(status, body.to_string())
    }

    pub(super) fn error(status: u16) -> Self {
        Self::json(status, &json!({"error": {"code": status, "message": "no"}}))
    }

    async fn response(self) -> Response {
        let status = |code| StatusCode::from_u16(code).expect("a status");
        match self {
            Self::Text(code, body) => (status(code), body).into_response(),
            Self::With(code, header, body) => (status(code), [header], body).into_response(),
            Self::Cut => {
                let begun: [Result<Bytes, std::io::Error>; 2] = [
                    Ok("{\"name\":".into()),
                    Err(std::io::ErrorKind::ConnectionReset.into()),
                ];
                let body = Body::from_stream(futures::stream::iter(begun));
                ([(header::CONTENT_LENGTH, "100")], body).into_response()
            }
            Self::Silent => std::future::pending().await,
        }
    }
}

/// A server of IAM and Cloud Storage, and what it received.
pub(super) struct Server {
    pub(super) base: String,
    received: Arc<Mutex<Vec<(Method, String, HeaderMap)>>>,
}

impl Server {
    /// Serves these answers one after the other, and the last one for ever.
    pub(super) async fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let (kept, answers) = (
            Arc::clone(&received),
            Arc::new(Mutex::new(answers.into_iter().collect::<VecDeque<_>>())),
        );
        let router = Router::new().fallback(any(move |request: Received| {
            let (parts, _) = request.into_parts();
            let came = (parts.method, parts.uri.to_string(), parts.headers);
            kept.lock().expect("whole").push(came);
            let mut left = answers.lock().expect("whole");
            let answer = match left.len() {
                1 => left[0].clone(),
                _ => left.pop_front().expect("an answer"),
            };
            answer.response()
        }));
        let base = serve(router).await;
        Self { base, received }
    }

    fn endpoints(&self) -> Endpoints {
        let mut endpoints = Endpoints::default();
        for service in [Service::Iam, Service::Storage] {
            endpoints.set(service, self.base.parse().expect("a URL"));
        }
        endpoints
    }

    pub(super) fn rest_as(&self, credentials: Credentials, patience: Duration) -> Rest {
        Rest::new(Arc::new(self.endpoints()), Arc::new(credentials), patience)
    }

    pub(super) fn rest(&self) -> Rest {
        self.rest_as(Credentials::anonymous(), MINUTE)
    }

    pub(super) fn paths(&self) -> Vec<String> {
        let received = self.received.lock().expect("whole");
        received.iter().map(|(_, path, _)| path.clone()).collect()
    }

    /// Returns the only request's headers.
    pub(super) fn headers(&self) -> HeaderMap {
        let received = self.received.lock().expect("whole");
        let [(_, _, headers)] = &received[..] else {
            panic!("one request: {received:?}");
        };
        headers.clone()
    }
}

/// Reads a resource.
pub(super) async fn get(rest: &Rest, service: Service) -> Result<Value, Failure> {
    rest.call("look", Method::GET, service, "/v1/x", None).await
}

/// Returns the failure of a server that always answers so, and the number of requests.
pub(super) async fn failure(service: Service, answer: Answer) -> (Failure, u32) {
    let server = Server::new([answer]).await;
    let failure = get(&server.rest(), service).await.expect_err("it fails");
    let count = server.paths().len().try_into().expect("few");
    (failure, count)
}
