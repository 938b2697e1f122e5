//! Requests to a router, without a connection.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use serde_json::Value;
use tower::ServiceExt as _;

/// The most bytes of a body.
const MOST: usize = 1 << 24;

/// An answer with its whole body.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; bytes that are not UTF-8 are replaced.
    pub text: String,
}

impl Reply {
    /// Returns the body as JSON.
    ///
    /// # Panics
    /// If it is something else.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Returns the JSON body of a 200.
    ///
    /// # Panics
    /// If the status is another.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    /// Returns the message of an error in the shape of Google's APIs
    /// (<https://google.aip.dev/193>).
    ///
    /// # Panics
    /// If the status is another than `status`.
    pub fn refused(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        let message = &self.json()["error"]["message"];
        message.as_str().unwrap_or_default().to_owned()
    }
}

/// Sends a request to a router. Returns the answer when its body has ended.
///
/// # Panics
/// If the body does not end properly.
pub async fn send(router: Router, request: Request<Body>) -> Reply {
    let response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, MOST).await.expect("a body");
    Reply {
        status: parts.status.as_u16(),
        headers: parts.headers,
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}
