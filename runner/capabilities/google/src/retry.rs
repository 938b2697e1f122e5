//! Retries with back-off.

use std::future::Future;
use std::time::{Duration, Instant};

use google_cloud_gax::backoff_policy::BackoffPolicy as _;
use google_cloud_gax::exponential_backoff::{ExponentialBackoff, ExponentialBackoffBuilder};
use google_cloud_gax::retry_state::RetryState;
use sidestep_events::{Class, Failure};

/// The maximum number of attempts.
pub const TRIES: u32 = 4;
/// The maximum first pause; each further one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(400);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Returns the pauses between attempts. They are random, so that many runners do not retry at the
/// same moment.
pub fn backoff() -> ExponentialBackoff {
    ExponentialBackoffBuilder::new()
        .with_initial_delay(FIRST_PAUSE)
        .with_maximum_delay(LONGEST_PAUSE)
        .clamp()
}

/// Runs `work` until it succeeds, fails permanently, reaches the maximum number of attempts, or
/// `patience` has passed. Only class `unavailable` is retried.
pub async fn retry<T, W>(patience: Duration, mut work: impl FnMut() -> W) -> Result<T, Failure>
where
    W: Future<Output = Result<T, Failure>>,
{
    let began = Instant::now();
    let backoff = backoff();
    let mut tried = 0;
    loop {
        let failure = match work().await {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        tried += 1;
        let over = tried == TRIES || began.elapsed() >= patience;
        if failure.class != Class::Unavailable || over {
            return Err(failure);
        }
        let state = RetryState::new(true).set_attempt_count(tried);
        let pause = backoff.on_failure(&state);
        let (code, why) = (failure.code.exact(), failure.message.exact());
        tracing::debug!(tried, ?pause, code, why, "retrying a call to Google");
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use sidestep_events::Owner;

    use super::*;

    async fn tries(class: Class, patience: Duration) -> u32 {
        let mut count = 0;
        let result: Result<(), Failure> = retry(patience, || {
            count += 1;
            std::future::ready(Err(Failure::new(class, "x.y", Owner::Cloud, "no")))
        })
        .await;
        assert_eq!(result.expect_err("it fails").class, class);
        count
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_is_unavailable_is_tried_again_and_not_for_ever() {
        let minute = Duration::from_mins(1);
        assert_eq!(tries(Class::Unavailable, minute).await, TRIES);
        assert_eq!(tries(Class::Denied, minute).await, 1);
        assert_eq!(tries(Class::Unavailable, Duration::ZERO).await, 1);
    }
}
