//! Decides what a signal does, depending on earlier signals.

use std::time::{Duration, Instant};

use sidestep_events::Exit;

/// The time within which signals count as the same stop: `timeout` and many CI agents signal the
/// process and then its group.
const SAME: Duration = Duration::from_secs(1);

/// The effect of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// Belongs to a stop in progress, and has no effect.
    Nothing,
    /// Stops the run, which then cleans up.
    Stop,
    /// Ends the process at once.
    Force,
}

/// Decides what each signal does.
///
/// The first one stops the run. Signals within one second of it have no effect. After that, only a
/// SIGINT that follows another SIGINT forces the end: a person at a terminal asked twice. SIGTERM
/// and SIGHUP never do, because GitHub sends SIGTERM 7.5 s after SIGINT, while the run still cleans
/// up.
#[derive(Debug, Default)]
pub(super) struct Rule {
    /// The time at which the run was stopped.
    stopped: Option<Instant>,
    /// The time of the last SIGINT that was not part of an earlier stop.
    interrupted: Option<Instant>,
}

impl Rule {
    /// Returns the effect of a signal that arrives now.
    pub(super) fn take(&mut self, signal: Exit, now: Instant) -> Act {
        let same = |at: Instant| now.saturating_duration_since(at) < SAME;
        let interrupt = signal == Exit::Interrupted;
        let act = match (self.stopped, self.interrupted) {
            (None, _) => {
                self.stopped = Some(now);
                Act::Stop
            }
            (Some(stopped), _) if same(stopped) => return Act::Nothing,
            (_, Some(interrupted)) if same(interrupted) => return Act::Nothing,
            (_, Some(_)) if interrupt => Act::Force,
            _ => Act::Nothing,
        };
        if interrupt {
            self.interrupted = Some(now);
        }
        act
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INT: Exit = Exit::Interrupted;
    const TERM: Exit = Exit::Terminated;
    const HUP: Exit = Exit::Hangup;

    /// Returns the effect of each signal, given with its delay in milliseconds after the first one.
    fn acts(signals: &[(Exit, u64)]) -> Vec<Act> {
        let (mut rule, start) = (Rule::default(), Instant::now());
        signals
            .iter()
            .map(|(signal, at)| rule.take(*signal, start + Duration::from_millis(*at)))
            .collect()
    }

    #[test]
    fn a_stop_that_arrives_twice_is_one() {
        for first in [INT, TERM, HUP] {
            for second in [INT, TERM, HUP] {
                for at in [0, 1, 999] {
                    assert_eq!(
                        acts(&[(first, 0), (second, at), (second, at)]),
                        [Act::Stop, Act::Nothing, Act::Nothing],
                        "{first:?} {second:?} {at}"
                    );
                }
            }
        }
    }

    #[test]
    fn only_a_second_sigint_after_a_sigint_forces() {
        assert_eq!(acts(&[(INT, 0), (INT, 1000)]), [Act::Stop, Act::Force]);
        for (first, second) in [
            (INT, TERM),
            (INT, HUP),
            (TERM, TERM),
            (TERM, HUP),
            (HUP, TERM),
            (TERM, INT),
            (HUP, INT),
        ] {
            let acts = acts(&[(first, 0), (second, 5000)]);
            assert_eq!(acts, [Act::Stop, Act::Nothing], "{first:?} {second:?}");
        }
        let many: Vec<_> = (0..60).map(|second| (TERM, second * 1000)).collect();
        assert!(acts(&many)[1..].iter().all(|act| *act == Act::Nothing));
    }

    #[test]
    fn a_sigint_after_a_sigterm_is_the_first_of_its_kind() {
        assert_eq!(
            acts(&[(TERM, 0), (INT, 2000), (INT, 2500), (INT, 3000)]),
            [Act::Stop, Act::Nothing, Act::Nothing, Act::Force]
        );
    }

    #[test]
    fn github_s_sigterm_leaves_the_clean_up_alone() {
        assert_eq!(acts(&[(INT, 0), (TERM, 7500)]), [Act::Stop, Act::Nothing]);
    }
}
