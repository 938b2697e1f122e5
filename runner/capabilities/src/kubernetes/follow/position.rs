//! Where the reading of a container's log stands, so that a new connection, or a new process, goes
//! on without losing or repeating a line.
//!
//! The API server can only be asked for lines since a whole second, and several lines can carry
//! the same time stamp. A position is therefore the last line's time stamp and how many lines with
//! exactly that stamp were taken, and, where a line was under way, how much of it was. A new process
//! reads such a line from its beginning, since what a secret is depends on what stands before.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The last line that was taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// The stamp of the last whole line; none before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// How many whole lines with exactly that stamp were taken.
    #[serde(default)]
    pub lines: u64,
    /// What was taken of the line after those, if it is a long one of which a part is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

/// The beginning of a line that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// The line's stamp, by which it is known again.
    pub time: Timestamp,
    /// How many bytes of its text were taken.
    pub bytes: u64,
}

impl Position {
    /// Counts one more whole line.
    #[must_use]
    pub(super) fn after(self, stamp: Timestamp) -> Self {
        let lines = if self.time == Some(stamp) {
            self.lines + 1
        } else {
            1
        };
        Self {
            time: Some(stamp),
            lines,
            part: None,
        }
    }

    /// Stands in the middle of the next line.
    #[must_use]
    pub(super) fn within(self, part: Option<Part>) -> Self {
        Self { part, ..self }
    }

    /// Where the reading stood so many bytes of the line under way before.
    #[must_use]
    pub fn short_of(self, bytes: u64) -> Self {
        let part = self.part.and_then(|part| {
            let bytes = part.bytes.saturating_sub(bytes);
            (bytes > 0).then_some(Part { bytes, ..part })
        });
        self.within(part)
    }

    /// Stands before the line under way, if there is one.
    #[must_use]
    pub(crate) fn without_part(self) -> Self {
        self.within(None)
    }

    /// What to pass as `sinceTime`: whole seconds, rounded down (the API takes no fractions).
    pub(crate) fn since(self) -> Option<Timestamp> {
        self.time
            .and_then(|time| Timestamp::from_second(time.as_second()).ok())
    }
}

/// Lets through what comes after a position, from a stream that starts at or before it.
#[derive(Debug)]
pub(super) struct Resume {
    from: Position,
    seen: Position,
    /// Whether nothing has come by yet.
    at_start: bool,
}

impl Resume {
    /// Goes on after `from`.
    pub(super) fn new(from: Position) -> Self {
        Self {
            from,
            seen: Position::default(),
            at_start: true,
        }
    }

    /// Whether lines may be missing before the one with that stamp. To be asked before
    /// [`is_new`](Self::is_new): a server that has the last line still sends it again, and as the
    /// first one or after older ones. One whose log begins later has thrown some away.
    pub(super) fn begins_after_a_gap(&self, stamp: Timestamp) -> bool {
        self.at_start && self.from.time.is_some_and(|last| stamp > last)
    }

    /// Whether the line with that stamp is new. To be asked once for every line, in order.
    ///
    /// Stamps of one container never go back: the runtime writes them as it reads the output. A
    /// stamp that does (a clock that was set back) is taken for new, since losing a line is worse.
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

    #[test]
    fn since_is_a_whole_second_at_or_before() {
        let position = Position::default().after(at(1_999_999_999));
        assert_eq!(position.since(), Some(at(1_000_000_000)));
        assert_eq!(Position::default().since(), None);
    }

    proptest! {
        /// Cut a log anywhere, reconnect with whatever the server sends again: the two halves are
        /// the whole, with nothing lost and nothing twice.
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
