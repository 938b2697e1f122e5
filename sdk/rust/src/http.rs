//! HTTP requests to hosts that the grant names. Grant key: `http`.

use std::time::Duration;

use crate::bindings::sidestep::http::client;
use crate::{Error, Part, Result};

pub use client::{Body, Field, Header, Request, Response};

/// Sends a request. A response with any status is a success. Redirects are not
/// followed.
pub fn send(request: &Request<'_>) -> Result<Response> {
    client::send(request).map_err(Error::from)
}

impl<'a> Request<'a> {
    /// Returns a request without headers or body, with a response limit of 1 MiB.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            timeout: None,
            max_response: 1024 * 1024,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Part<'a>>) -> Self {
        self.headers.push(Field {
            name: name.into(),
            value: value.into(),
        });
        self
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<Part<'a>>) -> Self {
        self.query.push(Field {
            name: name.into(),
            value: value.into(),
        });
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: Body<'a>) -> Self {
        self.body = Some(body);
        self
    }

    /// Limits the time of the whole request.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
        self
    }
}

impl Response {
    /// Returns a header's first value; the name is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.name == name)
            .map(|header| header.value.as_str())
    }

    /// Returns whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}
