//! Retries with back-off.

use std::future::Future;
use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable as _};
use sidestep_events::{Class, Failure};

/// The maximum number of attempts.
pub const TRIES: u32 = 4;
/// The pauses between attempts: 200 to 400 ms, then twice as long each. They are random, so that
/// many runners do not retry at the same moment.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(200))
    .with_max_times(TRIES as usize - 1)
    .with_jitter();

/// Runs `work` until it succeeds, fails permanently, reaches the maximum number of attempts, or
/// `patience` has passed. Only class `unavailable` is retried.
pub async fn retry<T, W>(patience: Duration, work: impl FnMut() -> W) -> Result<T, Failure>
where
    W: Future<Output = Result<T, Failure>>,
{
    let began = Instant::now();
    let mut tried = 0;
    work.retry(PAUSES)
        .when(|failure| failure.class == Class::Unavailable && began.elapsed() < patience)
        .notify(|failure, pause| {
            tried += 1;
            let (code, why) = (failure.code.exact(), failure.message.exact());
            tracing::debug!(tried, ?pause, code, why, "retrying a call to Google");
        })
        .await
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
