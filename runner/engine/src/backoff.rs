use std::time::Duration;

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
    let doublings = attempt.saturating_sub(1).min(20);
    let whole = retry
        .delay
        .saturating_mul(1 << doublings)
        .min(retry.max_delay);
    let digest = Sha256::digest(format!("{run}\0{instance}\0{attempt}"));
    let jitter = f64::from(digest[0]) / 255.0;
    let asked = Duration::from_millis(failure.retry_after_ms.unwrap_or(0));
    whole
        .mul_f64(0.5 + jitter / 2.0)
        .max(asked.min(retry.max_delay))
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
