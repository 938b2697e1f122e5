use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use sha2::{Digest, Sha256};
use sidestep_events::Failure;

use crate::Retry;

/// Returns how long to wait before the attempt after `attempt`.
///
/// The back-off is exponential with jitter: between half and all of the current delay, and at least
/// the `retry_after_ms` of the failure. `max_delay` also limits the latter, since a plugin may have
/// set it.
///
/// The jitter is a function of run, instance and attempt. So instances that fail together retry at
/// different times, and the delays can be reproduced when a run is analysed.
pub(crate) fn wait(
    retry: &Retry,
    run: &str,
    instance: &str,
    attempt: u32,
    failure: &Failure,
) -> Duration {
    let earlier = attempt.saturating_sub(1) as usize;
    // The jitter adds up to as much again, hence the halves.
    let mut delays = ExponentialBuilder::new()
        .with_min_delay(retry.delay.min(retry.max_delay) / 2)
        .with_max_delay(retry.max_delay / 2)
        .without_max_times()
        .with_jitter()
        .with_jitter_seed(seed(run, instance))
        .build();
    let delay = delays.nth(earlier).unwrap_or(retry.max_delay);
    let asked = Duration::from_millis(failure.retry_after_ms.unwrap_or(0));
    delay.max(asked).min(retry.max_delay)
}

fn seed(run: &str, instance: &str) -> u64 {
    let digest = Sha256::digest(format!("{run}\0{instance}"));
    digest
        .iter()
        .take(8)
        .fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sidestep_events::{Class, Owner};

    #[test]
    fn waits_grow_to_the_limit_and_honour_the_other_side() {
        let retry = Retry::default();
        let mut failure = Failure::new(Class::Unavailable, "x", Owner::Cloud, "m");
        for attempt in 1..40 {
            let wait = wait(&retry, "r", "a", attempt, &failure);
            let whole = Duration::from_secs(2 << (attempt - 1).min(20)).min(retry.max_delay);
            assert!(wait >= whole / 2 && wait <= whole, "{attempt}: {wait:?}");
        }
        for (asked, waited) in [(50_000, 50), (90_000, 60), (u64::MAX, 60)] {
            failure.retry_after_ms = Some(asked);
            let wait = wait(&retry, "r", "a", 1, &failure);
            assert_eq!(wait, Duration::from_secs(waited), "{asked}");
        }
    }

    #[test]
    fn the_delay_of_an_attempt_is_always_the_same_and_never_above_the_limit() {
        let failure = Failure::new(Class::Unavailable, "x", Owner::Cloud, "m");
        for (delay, max_delay) in [(0, 0), (0, 9), (1, 3), (50, 7), (700, 86_400_000)] {
            let retry = Retry {
                delay: Duration::from_millis(delay),
                max_delay: Duration::from_millis(max_delay),
                ..Retry::default()
            };
            for attempt in [0, 1, 2, 3, 50] {
                let first = wait(&retry, "r", "a", attempt, &failure);
                assert_eq!(first, wait(&retry, "r", "a", attempt, &failure));
                assert!(first <= retry.max_delay, "{retry:?} {attempt}: {first:?}");
            }
        }
    }

    #[test]
    fn instances_that_fail_together_come_back_apart() {
        let retry = Retry::default();
        let failure = Failure::new(Class::Unavailable, "x", Owner::Cloud, "m");
        let mut waits: Vec<_> = (0..8)
            .map(|n| wait(&retry, "r", &format!("a{n}"), 3, &failure))
            .collect();
        waits.sort();
        waits.dedup();
        assert!(waits.len() > 5, "{waits:?}");
    }
}
