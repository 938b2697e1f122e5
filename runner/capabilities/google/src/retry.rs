//! Retries with back-off.

use std::future::Future;
use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable as _};
use sidestep_events::{Class, Failure};

/// The maximum number of attempts.
pub const TRIES: u32 = 4;
/// The shortest first pause. A pause is random, up to twice the shortest one, so that many runners
/// do not retry at the same moment; the shortest pause doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause of all.
const LONGEST_PAUSE: Duration = FIRST_PAUSE.saturating_mul(1 << (TRIES - 1));
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(FIRST_PAUSE)
    .with_max_times(TRIES as usize - 1)
    .with_jitter();

/// The failure of one attempt.
pub trait Attempt {
    /// Returns the failure.
    fn failure(&self) -> &Failure;
    /// Returns whether another attempt may succeed.
    fn is_transient(&self) -> bool;
}

impl Attempt for Failure {
    fn failure(&self) -> &Failure {
        self
    }

    fn is_transient(&self) -> bool {
        self.class == Class::Unavailable
    }
}

/// Runs `work` until it succeeds, fails permanently, reaches the maximum number of attempts, or
/// there is no time for another pause within `patience`.
pub async fn retry<T, F, W>(patience: Duration, work: impl FnMut() -> W) -> Result<T, F>
where
    F: Attempt,
    W: Future<Output = Result<T, F>>,
{
    let began = Instant::now();
    let mut tried = 0;
    work.retry(PAUSES)
        .when(|failed| failed.is_transient() && began.elapsed() + LONGEST_PAUSE < patience)
        .notify(|failed, pause| {
            tried += 1;
            let failure = failed.failure();
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
