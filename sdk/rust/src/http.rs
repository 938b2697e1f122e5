//! HTTP requests to hosts that the grant names. Grant key: `http`.

use std::time::Duration;

use crate::bindings::sidestep::http::client;
use crate::{Error, Part, Result};

pub use client::{Body, Field, Header, Request, Response};

/// Sends a request. A response with any status is a success. Redirects are not
/// followed.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::{http::{self, Request}, secrets};
///
/// # fn main() -> sidestep::Result<()> {
/// let token = secrets::get("hook")?;
/// let authorization = sidestep::compose(
///     &["Bearer ".into(), (&token).into()],
///     sidestep::Encoding::Plain,
/// )?;
/// let request = Request::new("POST", "https://hooks.example.com/deploy")
///     .header("authorization", &authorization);
/// if !http::send(&request)?.is_success() {
///     sidestep::warn!("the hook did not accept the call");
/// }
/// # Ok(())
/// # }
/// ```
pub fn send(request: &Request<'_>) -> Result<Response> {
    client::send(request).map_err(Error::from)
}

impl<'a> Request<'a> {
    /// Returns a request without headers or body, with a response limit of 1 MiB.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::http::Request;
    ///
    /// let request = Request::new("GET", "https://hooks.example.com/status");
    /// assert_eq!(request.max_response, 1024 * 1024);
    /// ```
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
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::http::Request;
    ///
    /// let request = Request::new("GET", "https://hooks.example.com/").header("accept", "text/plain");
    /// assert_eq!(request.headers[0].name, "accept");
    /// ```
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Part<'a>>) -> Self {
        self.headers.push(Field {
            name: name.into(),
            value: value.into(),
        });
        self
    }

    /// Adds a query parameter.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::http::Request;
    ///
    /// let request = Request::new("GET", "https://hooks.example.com/").query("ref", "main");
    /// assert_eq!(request.query.len(), 1);
    /// ```
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<Part<'a>>) -> Self {
        self.query.push(Field {
            name: name.into(),
            value: value.into(),
        });
        self
    }

    /// Sets the body.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::http::{Body, Request};
    ///
    /// let body = Body::Bytes(b"{}".to_vec());
    /// let request = Request::new("POST", "https://hooks.example.com/").body(body);
    /// assert!(request.body.is_some());
    /// ```
    #[must_use]
    pub fn body(mut self, body: Body<'a>) -> Self {
        self.body = Some(body);
        self
    }

    /// Limits the time of the whole request.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::http::Request;
    ///
    /// let limit = std::time::Duration::from_secs(10);
    /// let request = Request::new("GET", "https://hooks.example.com/").timeout(limit);
    /// assert_eq!(request.timeout, Some(10_000));
    /// ```
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
        self
    }
}

impl Response {
    /// Returns a header's first value; the name is in lower case.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::http::{Header, Response};
    ///
    /// let response = Response {
    ///     status: 200,
    ///     headers: vec![Header { name: "etag".to_owned(), value: "v1".to_owned() }],
    ///     body: Vec::new(),
    ///     truncated: false,
    /// };
    /// assert_eq!(response.header("etag"), Some("v1"));
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.name == name)
            .map(|header| header.value.as_str())
    }

    /// Returns whether the status is 2xx.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::http::Response;
    ///
    /// let response = Response { status: 204, headers: Vec::new(), body: Vec::new(), truncated: false };
    /// assert!(response.is_success());
    /// ```
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}
