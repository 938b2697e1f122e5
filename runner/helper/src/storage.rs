//! Cloud Storage, as the identity of the pod.

mod download;

use std::fmt;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};

use crate::{Error, Reason};

/// The address of Cloud Storage.
const GOOGLE: &str = "https://storage.googleapis.com";
/// The longest silence of a connection.
const SILENCE: Duration = Duration::from_mins(1);
/// The pauses between attempts that bring nothing, in seconds.
const PAUSES: [u64; 6] = [1, 2, 4, 8, 15, 30];
/// The characters of a name that are not escaped in a path (RFC 3986, unreserved characters).
const NAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A client for Cloud Storage in a pod.
#[derive(Debug, Clone)]
pub struct Storage {
    http: Client,
    metadata: Client,
    base: String,
    host: String,
    pauses: &'static [u64],
}

impl Storage {
    /// Returns a client whose tokens come from the metadata server at `host`. `base` is an address
    /// in place of Google's.
    ///
    /// # Errors
    /// If the system's certificates can't be read.
    pub fn new(base: Option<&str>, host: &str) -> Result<Self, Error> {
        let failed = |error: reqwest::Error| {
            Error::new(
                Reason::Unavailable,
                format!("there is no HTTP client: {error}"),
            )
        };
        let builder = || Client::builder().redirect(Policy::none());
        let http = builder().read_timeout(SILENCE).build();
        let metadata = builder().no_proxy().build();
        let base = base.unwrap_or(GOOGLE).trim_end_matches('/');
        Ok(Self {
            http: http.map_err(failed)?,
            metadata: metadata.map_err(failed)?,
            base: base.to_owned(),
            host: host.to_owned(),
            pauses: &PAUSES,
        })
    }

    /// Makes a client of a test retry without pauses.
    #[cfg(test)]
    pub(crate) fn without_pauses(self) -> Self {
        Self {
            pauses: &[0; 6],
            ..self
        }
    }
}

/// An object, `gs://BUCKET/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    bucket: String,
    pub(crate) name: String,
}

impl Object {
    pub(crate) fn parse(uri: &str) -> Result<Self, Error> {
        let rest = uri.strip_prefix("gs://");
        let parts = rest.and_then(|rest| rest.split_once('/'));
        match parts.filter(|(bucket, name)| !bucket.is_empty() && !name.is_empty()) {
            Some((bucket, name)) => Ok(Self {
                bucket: bucket.to_owned(),
                name: name.to_owned(),
            }),
            None => Err(Error::wrong(format!(
                "{uri} is not the address of an object, gs://BUCKET/NAME"
            ))),
        }
    }

    /// Returns the path of the object's content in the JSON API.
    fn media(&self) -> String {
        let escaped = |text| utf8_percent_encode(text, NAME);
        format!(
            "/storage/v1/b/{}/o/{}?alt=media",
            escaped(&self.bucket),
            escaped(&self.name)
        )
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gs://{}/{}", self.bucket, self.name)
    }
}

/// The failure of one attempt.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Another attempt may succeed.
    ForNow(Error),
    /// No attempt can succeed.
    Final(Error),
}

impl Failed {
    pub(crate) fn for_now(message: impl Into<String>) -> Self {
        Self::ForNow(Error::new(Reason::Unavailable, message))
    }

    /// Returns the failure of a request without an answer.
    fn unanswered(what: &str, error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut message = format!("cannot {what}: {error}");
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        Self::for_now(message)
    }

    /// Returns the failure that an answer reports.
    async fn answered(what: &str, answer: Response) -> Self {
        let status = answer.status();
        let body = answer.text().await.unwrap_or_default();
        let message = format!("cannot {what}: {status}: {}", sentence(&body));
        let reason = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Reason::Denied,
            StatusCode::NOT_FOUND => Reason::Missing,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                return Self::for_now(message);
            }
            status if status.is_server_error() => return Self::for_now(message),
            _ => Reason::Wrong,
        };
        Self::Final(Error::new(reason, message))
    }
}

/// Returns the message of an answer's body (Cloud Storage JSON API, "HTTP status and error codes").
fn sentence(body: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let message = json["error"]["message"].as_str();
    message.unwrap_or(body).trim().to_owned()
}
