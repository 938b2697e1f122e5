//! Retries requests whose answer was lost.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};

/// The pauses between four attempts: 200 to 400 ms, then twice as long each. They are random, so
/// that many runners do not retry at the same moment.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(200))
    .with_max_times(3)
    .with_jitter();

/// Sends a request, and retries it if the connection was lost or the server failed. The client
/// itself handles the answers of a busy server (429, 503, 504).
///
/// Only for requests that may be sent twice: a caller that creates an object must recognise its
/// own.
pub(super) async fn tried<T, F>(send: impl Fn() -> F) -> Result<T, kube::Error>
where
    F: Future<Output = Result<T, kube::Error>>,
{
    send.retry(PAUSES)
        .when(may_heal)
        .notify(|error, pause| {
            tracing::debug!(%error, ?pause, "retrying a request to an API server");
        })
        .await
}

/// Returns whether the server refused the request, or it was never sent: nothing was carried out.
pub(super) fn is_refused(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => (400..500).contains(&status.code) && status.code != 408,
        kube::Error::Auth(_) | kube::Error::BuildRequest(_) => true,
        _ => false,
    }
}

fn may_heal(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => matches!(status.code, 408 | 500 | 502),
        // The connection failed, the body was cut off, or the result is not complete JSON.
        kube::Error::Service(_) | kube::Error::HyperError(_) | kube::Error::SerdeError(_) => true,
        _ => false,
    }
}
