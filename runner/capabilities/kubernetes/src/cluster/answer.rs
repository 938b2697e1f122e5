//! Whether an answer is a Kubernetes API server's.

use std::fmt;
use std::time::Duration;

use http_body_util::{BodyExt as _, Collected, Limited};
use kube::client::Body;
use serde_json::Value;
use sidestep_transport::causes;

/// The maximum size of an answer that is read, in bytes.
const LARGEST: usize = 64 * 1024;

/// The reason why an address can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// There was no connection, or it broke.
    Broken(String),
    /// No answer within this time.
    Silent(Duration),
    /// A server in front of the API server, such as Google's frontend, refused the request.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its explanation, if it gave one.
        why: Option<String>,
    },
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(why) => f.write_str(why),
            Self::Silent(patience) => write!(f, "no answer within {} s", patience.as_secs()),
            Self::Refused { status, why } => {
                let why = why
                    .as_deref()
                    .unwrap_or("not a Kubernetes API server's answer");
                write!(f, "HTTP {status}: {why}")
            }
        }
    }
}

impl Unanswered {
    /// Returns the reason for a client's error before any answer.
    pub(super) fn of(error: &kube::Error) -> Self {
        Self::Broken(causes::chain(error))
    }
}

/// Checks that an answer is an API server's: a success, or a `Status` (Kubernetes API conventions,
/// "Response Status Kind").
pub(super) async fn read(answer: http::Response<Body>) -> Result<(), Unanswered> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let body = Limited::new(answer.into_body(), LARGEST).collect().await;
    let bytes = body.map(Collected::to_bytes).unwrap_or_default();
    let json = serde_json::from_slice::<Value>(&bytes).unwrap_or_default();
    if json["kind"] == "Status" {
        return Ok(());
    }
    // The form of Google's errors (AIP-193).
    let why = json["error"]["message"].as_str().map(str::to_owned);
    let status = status.as_u16();
    Err(Unanswered::Refused { status, why })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn of(status: u16, body: &str) -> Result<(), String> {
        let answer = http::Response::builder().status(status);
        let answer = answer.body(Body::from(body.as_bytes().to_vec()));
        let read = read(answer.expect("an answer")).await;
        read.map_err(|why| why.to_string())
    }

    #[tokio::test]
    async fn an_api_server_is_told_from_what_stands_before_it() {
        assert_eq!(of(200, r#"{"major": "1"}"#).await, Ok(()));
        let status = r#"{"kind": "Status", "status": "Failure", "code": 403}"#;
        assert_eq!(of(403, status).await, Ok(()));
        let google = r#"{"error": {"code": 403, "message": "Permission denied."}}"#;
        let denied = Err("HTTP 403: Permission denied.".to_owned());
        assert_eq!(of(403, google).await, denied);
        let other = |code: u16| Err(format!("HTTP {code}: not a Kubernetes API server's answer"));
        assert_eq!(of(502, "<html>Bad Gateway</html>").await, other(502));
        assert_eq!(of(302, "").await, other(302));
        let endless = format!(r#"{{"kind": "Status", "x": "{}"}}"#, "x".repeat(LARGEST));
        assert_eq!(of(403, &endless).await, other(403));
    }
}
