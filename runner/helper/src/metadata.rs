//! Tokens of the pod's identity.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::Value;

use crate::storage::Failed;
use crate::{Error, Reason};

/// The time that one request may take: the server is on the pod's node, or there is none.
const ANSWER: Duration = Duration::from_secs(5);
/// The path of a pod's token (Google Cloud, "Authenticate workloads by using service accounts").
pub(crate) const TOKEN: &str = "computeMetadata/v1/instance/service-accounts/default/token";

/// Returns an access token of the pod's identity from the metadata server at `host`.
pub(crate) async fn token(http: &Client, host: &str) -> Result<String, Failed> {
    let url = format!("http://{host}/{TOKEN}");
    let request = http.get(url).header("Metadata-Flavor", "Google");
    let answer = request.timeout(ANSWER).send().await;
    let answer = answer.map_err(|error| {
        Failed::for_now(format!(
            "the metadata server at {host} does not answer: {}",
            error.without_url()
        ))
    })?;
    let status = answer.status();
    let body = answer.text().await.unwrap_or_default();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(Failed::for_now(format!(
            "the metadata server at {host} answered {status}: {}",
            body.trim()
        )));
    }
    let token = serde_json::from_str::<Value>(&body).ok();
    let token = token.and_then(|token| Some(token["access_token"].as_str()?.to_owned()));
    match token {
        Some(token) if status.is_success() => Ok(token),
        // The body of a success would be a token.
        _ if status.is_success() => Err(Failed::Final(Error::new(
            Reason::Denied,
            format!("the metadata server at {host} answered with something that is not a token"),
        ))),
        _ => Err(Failed::Final(Error::new(
            Reason::Denied,
            format!(
                "the pod has no identity: the metadata server answered {status}: {}",
                body.trim()
            ),
        ))),
    }
}
