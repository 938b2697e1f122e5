//! The time limit of an attempt.

use std::time::Duration;

use sidestep_events::{Class, Failure, Owner, codes};
use tokio::time::{Instant, sleep_until};

/// An attempt's time limit, measured with the monotonic clock. Results that are complete only after
/// it do not count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Option<(Instant, Duration)>);

/// The way in which an attempt ended after its time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Late {
    /// The attempt ended by itself.
    Ended,
    /// The attempt was stopped.
    Stopped,
}

impl Deadline {
    /// Creates the deadline of an attempt that begins now.
    pub(crate) fn after(limit: Option<Duration>) -> Self {
        // A limit that overflows the clock means no limit.
        Self(limit.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit))))
    }

    /// Waits until the deadline is reached.
    pub(crate) async fn reached(self) {
        match self.0 {
            Some((end, _)) => sleep_until(end).await,
            None => std::future::pending().await,
        }
    }

    /// Returns the failure of an attempt that ends now, if the deadline has passed.
    pub(crate) fn passed(self, late: Late) -> Option<Failure> {
        let (end, limit) = self.0?;
        let after = Instant::now().checked_duration_since(end)?;
        let how = match late {
            Late::Ended => "ended",
            Late::Stopped => "stopped",
        };
        let failure = Failure::new(
            Class::TimedOut,
            codes::step::TIMED_OUT,
            Owner::Author,
            format!(
                "timed out after {} ({how} {} later)",
                words(limit),
                words(after)
            ),
        );
        Some(
            failure.with_help("raise the step's `timeout`, or check in its log what it waited for"),
        )
    }
}

/// Formats a duration in its two largest units: `250 ms`, `2 s`, `1 min 30 s`, `2 h 5 min`.
fn words(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    // Show fractions of a second only below 10 s.
    if milliseconds < 1_000 {
        return format!("{milliseconds} ms");
    }
    let tenths = milliseconds / 100;
    if tenths < 100 && !tenths.is_multiple_of(10) {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let seconds = duration.as_secs();
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = parts.iter().position(|(count, _)| *count > 0).unwrap_or(2);
    let shown = parts[first..].iter().take(2);
    let shown = shown.filter(|(count, _)| *count > 0);
    shown
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_their_two_largest_units() {
        for (milliseconds, told) in [
            (0, "0 ms"),
            (250, "250 ms"),
            (2_000, "2 s"),
            (2_449, "2.4 s"),
            (10_030, "10 s"),
            (59_990, "59 s"),
            (90_000, "1 min 30 s"),
            (120_000, "2 min"),
            (7_505_000, "2 h 5 min"),
            (3_600_000, "1 h"),
            (3_605_000, "1 h"),
        ] {
            assert_eq!(words(Duration::from_millis(milliseconds)), told);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_ends_in_time_has_no_failure_and_one_that_does_not_says_how_late() {
        let deadline = Deadline::after(Some(Duration::from_secs(2)));
        assert_eq!(deadline.passed(Late::Ended), None);
        tokio::time::advance(Duration::from_millis(1_999)).await;
        assert_eq!(deadline.passed(Late::Ended), None);
        tokio::time::advance(Duration::from_millis(5_001)).await;
        let message = |late| {
            deadline
                .passed(late)
                .expect("it is late")
                .message
                .into_exact()
        };
        assert_eq!(
            message(Late::Ended),
            "timed out after 2 s (ended 5 s later)"
        );
        assert_eq!(
            message(Late::Stopped),
            "timed out after 2 s (stopped 5 s later)"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn no_limit_and_an_endless_one_never_pass() {
        for limit in [None, Some(Duration::MAX)] {
            let deadline = Deadline::after(limit);
            tokio::time::advance(Duration::from_hours(1_000_000)).await;
            assert_eq!(deadline.passed(Late::Ended), None);
        }
    }
}
