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
    pub fn after(self, stamp: Timestamp) -> Self {
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
    pub fn within(self, part: Option<Part>) -> Self {
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
    pub fn without_part(self) -> Self {
        self.within(None)
    }

    /// What to pass as `sinceTime`: whole seconds, rounded down (the API takes no fractions).
    pub fn since(self) -> Option<Timestamp> {
        self.time
            .and_then(|time| Timestamp::from_second(time.as_second()).ok())
    }
}

#[cfg(test)]
mod tests {
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
}
