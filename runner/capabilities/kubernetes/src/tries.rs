//! Retries requests to an API server, and limits the time of an answer.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use sidestep_events::Class;
use sidestep_gate::Sends;
use tokio::time::{Instant, timeout};

use super::down::is_down;
use super::failure::{is_too_large, not_signed_in};

/// The timeout of one answer. A mutating webhook may take up to 30 s (Kubernetes, "Dynamic
/// Admission Control"); a create that took longer finds its own object.
const ANSWER: Duration = Duration::from_secs(30);
/// The time after which a request is not retried.
const PATIENCE: Duration = Duration::from_mins(1);
/// The maximum number of attempts if answers are lost.
const TRIES: u32 = 4;
/// The maximum number of attempts if the server answers that it is busy.
const BUSY_TRIES: u32 = 8;
/// The maximum pause, also if the server asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The pauses between attempts: 200 to 400 ms, then twice as long each. They are random, so that
/// many runners do not retry at the same moment.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(200))
    .without_max_times()
    .with_jitter();

/// Sends a request, and retries it if no answer comes in time, the connection was lost, or the
/// server failed or is busy.
///
/// Only for requests that may be sent twice: a caller that creates an object must recognise its
/// own.
pub(super) async fn tried<T, F>(send: impl Fn() -> F) -> Result<T, kube::Error>
where
    F: Future<Output = Result<T, kube::Error>>,
{
    retried(|| in_time(send()), may_heal).await
}

/// Sends a write as [`tried`] does, and records whether one of its requests may have been carried
/// out.
pub(super) async fn writing<T, F>(sends: &Sends, send: impl Fn() -> F) -> Result<T, kube::Error>
where
    F: Future<Output = Result<T, kube::Error>>,
{
    let noted = || async {
        in_time(send()).await.inspect_err(|error| {
            if !is_refused(error) {
                sends.lost();
            }
        })
    };
    retried(noted, may_heal).await
}

/// Opens a stream, and retries that if the server is busy or down. A stream has no timeout.
pub(super) async fn opening<T, F>(open: impl Fn() -> F) -> Result<T, kube::Error>
where
    F: Future<Output = Result<T, kube::Error>>,
{
    retried(open, |error| is_busy(error) || is_down(error)).await
}

async fn in_time<T>(
    answer: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, kube::Error> {
    timeout(ANSWER, answer).await.unwrap_or_else(|_| {
        let why = format!("nothing arrived within {} s", ANSWER.as_secs());
        Err(kube::Error::Service(why.into()))
    })
}

async fn retried<T, F>(
    send: impl Fn() -> F,
    again: impl Fn(&kube::Error) -> bool,
) -> Result<T, kube::Error>
where
    F: Future<Output = Result<T, kube::Error>>,
{
    let began = Instant::now();
    let mut sent = 0;
    send.retry(PAUSES)
        .when(|error| {
            // A server that is restarted takes longer than a few attempts.
            if is_down(error) {
                return began.elapsed() < PATIENCE;
            }
            sent += 1;
            let most = if is_busy(error) { BUSY_TRIES } else { TRIES };
            again(error) && sent < most && began.elapsed() < PATIENCE
        })
        .adjust(|error, pause| pause.map(|pause| pause.max(asked(error)).min(LONGEST_PAUSE)))
        .notify(|error, pause| {
            tracing::debug!(%error, ?pause, "retrying a request to an API server");
        })
        .await
}

/// Returns whether the server refused the request, or it was never sent: nothing was carried out.
fn is_refused(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => (400..500).contains(&status.code) && status.code != 408,
        kube::Error::Auth(_) | kube::Error::BuildRequest(_) => true,
        error => not_signed_in(error).is_some(),
    }
}

fn may_heal(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => matches!(status.code, 408 | 500 | 502) || is_busy(error),
        error if is_too_large(error) => false,
        error if let Some(failure) = not_signed_in(error) => failure.class == Class::Unavailable,
        // The connection failed, the body was cut off, or the result is not complete JSON.
        kube::Error::Service(_) | kube::Error::HyperError(_) | kube::Error::SerdeError(_) => true,
        _ => false,
    }
}

fn is_busy(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 429 | 503 | 504))
}

/// Returns the pause that the server asks for.
fn asked(error: &kube::Error) -> Duration {
    let kube::Error::Api(status) = error else {
        return Duration::ZERO;
    };
    let details = status.details.as_ref();
    Duration::from_secs(details.map_or(0, |details| details.retry_after_seconds.into()))
}
