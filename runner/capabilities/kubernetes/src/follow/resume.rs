//! Filters the new lines of a log that is read again from a position.

use jiff::Timestamp;
use sidestep_gate::Position;

/// Passes on the lines after a position, from a stream that starts at or before it.
#[derive(Debug)]
pub(super) struct Resume {
    from: Position,
    seen: Position,
    /// Whether no line has passed yet.
    at_start: bool,
}

impl Resume {
    /// Resumes after `from`.
    pub(super) fn new(from: Position) -> Self {
        Self {
            from,
            seen: Position::default(),
            at_start: true,
        }
    }

    /// Returns the time of the last line, if lines may be missing between it and the one with that
    /// stamp. Call it before [`is_new`](Self::is_new): a server that still has the last line sends
    /// it again, as the first one or after older ones. A server whose log begins later has discarded
    /// some.
    pub(super) fn gap_before(&self, stamp: Timestamp) -> Option<Timestamp> {
        self.from.time.filter(|last| self.at_start && stamp > *last)
    }

    /// Returns whether the line with that stamp is new. Call it once for every line, in order.
    ///
    /// The stamps of one container never decrease: the runtime writes them as it reads the output.
    /// A stamp that does (because a clock was set back) counts as new, since losing a line is
    /// worse.
    pub(super) fn is_new(&mut self, stamp: Timestamp) -> bool {
        self.at_start = false;
        let Some(last) = self.from.time else {
            return true;
        };
        let went_back = self.seen.time.is_some_and(|seen| stamp < seen);
        self.seen = self.seen.after(stamp);
        if went_back || stamp > last {
            return true;
        }
        stamp == last && self.seen.lines > self.from.lines
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(nanos: i64) -> Timestamp {
        Timestamp::from_nanosecond(i128::from(nanos)).expect("a small time")
    }

    proptest! {
        /// A log that is cut anywhere and read again with any lines that the server repeats is
        /// whole: nothing is lost and nothing is repeated.
        #[test]
        fn a_log_cut_anywhere_is_read_whole(
            steps in prop::collection::vec(0_i64..3, 1..60),
            cut in 0_usize..60,
        ) {
            let mut time = 10_000_000_000;
            let log: Vec<(usize, Timestamp)> = steps
                .iter()
                .enumerate()
                .map(|(line, step)| {
                    time += step * 400_000_000;
                    (line, at(time))
                })
                .collect();
            let cut = cut.min(log.len());
            let mut taken: Vec<usize> = Vec::new();
            let mut position = Position::default();
            for (line, stamp) in &log[..cut] {
                taken.push(*line);
                position = position.after(*stamp);
            }
            // The server filters by whole seconds only.
            let again = log.iter().filter(|(_, stamp)| position.since().is_none_or(|s| *stamp >= s));
            let mut resume = Resume::new(position);
            for (line, stamp) in again {
                if resume.is_new(*stamp) {
                    taken.push(*line);
                }
            }
            prop_assert_eq!(taken, (0..log.len()).collect::<Vec<_>>());
        }
    }
}
