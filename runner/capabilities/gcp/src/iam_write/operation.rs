//! Waits for long-running operations of IAM (AIP-151).

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use serde::Deserialize;
use serde_json::Value;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::NotCreated;
use sidestep_google::{Name, Rest, Service, documented, of_api_error};

/// The timeout of an operation, in all.
const PATIENCE: Duration = Duration::from_mins(2);
/// The pauses between looks, together at most [`PATIENCE`].
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(100))
    .with_max_delay(Duration::from_secs(5))
    .without_max_times()
    .with_total_delay(Some(PATIENCE))
    .with_jitter();

/// The state of an operation.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Operation {
    name: String,
    done: bool,
    error: Option<Value>,
}

/// Starts an operation that creates something, and waits until it is done. `shape` is the form of its name.
///
/// # Errors
/// The operation's failure; `google.slow` after the timeout.
pub(super) async fn run(
    rest: &Rest,
    what: &str,
    shape: &str,
    path: &str,
    body: &Value,
) -> Result<(), NotCreated> {
    // A repeated request finds the resource of the first one.
    let begun = rest.create(what, Service::Iam, path, body, true).await?;
    let begun = documented(what, begun).map_err(NotCreated::perhaps)?;
    // Whatever ends a started operation, its resource may exist.
    wait(rest, what, shape, begun)
        .await
        .map_err(NotCreated::perhaps)
}

async fn wait(
    rest: &Rest,
    what: &str,
    shape: &str,
    mut operation: Operation,
) -> Result<(), Failure> {
    let mut pauses = PAUSES.build();
    loop {
        if let Some(error) = operation.error {
            // The status of an operation has the form of an error, without the HTTP status.
            let code = error["code"].as_u64().unwrap_or_default();
            let body = serde_json::json!({ "error": error }).to_string();
            return Err(of_api_error(what, http_of(code), body.as_bytes()));
        }
        if operation.done {
            return Ok(());
        }
        let Some(pause) = pauses.next() else {
            return Err(Failure::new(
                Class::TimedOut,
                codes::google::SLOW,
                Owner::Cloud,
                format!(
                    "cannot {what}: Google has not completed the operation after {} s",
                    PATIENCE.as_secs()
                ),
            )
            .with_help("try again: a resource that Google has created by then is reused"));
        };
        tracing::trace!(what, ?pause, "an operation of Google is not done yet");
        tokio::time::sleep(pause).await;
        let name = Name::read("operation", shape, &operation.name)?;
        let path = format!("/v1/{}", name.as_str());
        operation = rest.get(what, Service::Iam, &path).await?;
    }
}

/// Returns the HTTP status of a `google.rpc.Code`.
fn http_of(code: u64) -> u16 {
    match code {
        3 | 9 | 11 => 400,
        16 => 401,
        7 => 403,
        5 => 404,
        6 | 10 => 409,
        8 => 429,
        14 => 503,
        4 => 504,
        _ => 500,
    }
}
