//! Timeouts for a silent server.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use google_cloud_gax::Result;
use google_cloud_gax::error::Error;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_google::of_client_error;

/// The maximum time without any progress. The client itself retries for five minutes when a server
/// refuses; a longer silence means a dead connection, which never ends by itself.
const LONGEST_SILENCE: Duration = Duration::from_mins(6);

/// Returns the answer that begins a read. `what` completes "cannot …".
pub(super) async fn answer<T>(
    what: &str,
    answer: impl Future<Output = Result<T>>,
) -> std::result::Result<T, Failure> {
    match tokio::time::timeout(LONGEST_SILENCE, answer).await {
        Ok(answer) => answer.map_err(|error| of_client_error(what, &error)),
        Err(_) => Err(silent(what)),
    }
}

/// Returns the next chunk of a read. `what` completes "cannot …".
pub(super) async fn chunk<T>(
    what: &str,
    next: impl Future<Output = Option<Result<T>>>,
) -> std::result::Result<Option<T>, Failure> {
    match tokio::time::timeout(LONGEST_SILENCE, next).await {
        Ok(Some(Ok(chunk))) => Ok(Some(chunk)),
        Ok(Some(Err(error))) => Err(of_client_error(what, &error)),
        Ok(None) => Ok(None),
        Err(_) => Err(silent(what)),
    }
}

/// Waits for a write as long as `moved` grows.
pub(super) async fn while_moving<T>(
    what: &str,
    moved: &AtomicU64,
    work: impl Future<Output = std::result::Result<T, Error>>,
) -> std::result::Result<std::result::Result<T, Error>, Failure> {
    let mut work = std::pin::pin!(work);
    loop {
        let before = moved.load(Ordering::Relaxed);
        match tokio::time::timeout(LONGEST_SILENCE, &mut work).await {
            Ok(result) => return Ok(result),
            Err(_) if moved.load(Ordering::Relaxed) == before => return Err(silent(what)),
            Err(_) => {}
        }
    }
}

fn silent(what: &str) -> Failure {
    Failure::new(
        Class::Unavailable,
        codes::google::SILENT,
        Owner::Cloud,
        format!(
            "cannot {what}: the server has sent nothing for {} minutes",
            LONGEST_SILENCE.as_secs() / 60
        ),
    )
    .with_help("try again; behind a proxy, check that it forwards large request bodies")
}
