//! The position in a container's log, so that a new connection, or a new process, resumes without
//! losing or repeating a line.
//!
//! The API server can only be asked for lines since a whole second, and several lines can carry the
//! same time stamp. A position is therefore the last line's time stamp, the number of lines with
//! exactly that stamp that were read, and, for an incomplete line, the number of bytes that were
//! read. A new process reads such a line from its beginning, since the text before decides what is
//! a secret.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The position after the last line that was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// The time stamp of the last whole line; `None` before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// The number of whole lines with exactly that stamp that were read.
    #[serde(default)]
    pub lines: u64,
    /// The part that was read of the next line, if it is a long one of which a part is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

/// The part of an incomplete line that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// The line's time stamp, which identifies it.
    pub time: Timestamp,
    /// The number of bytes of its text that were read.
    pub bytes: u64,
}

impl Position {
    /// Returns the position after one more whole line.
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

    /// Returns the position within the next line.
    #[must_use]
    pub fn within(self, part: Option<Part>) -> Self {
        Self { part, ..self }
    }

    /// Returns the position this many bytes earlier in the incomplete line.
    #[must_use]
    pub fn short_of(self, bytes: u64) -> Self {
        let part = self.part.and_then(|part| {
            let bytes = part.bytes.saturating_sub(bytes);
            (bytes > 0).then_some(Part { bytes, ..part })
        });
        self.within(part)
    }

    /// Returns the position before the incomplete line, if there is one.
    #[must_use]
    pub fn without_part(self) -> Self {
        self.within(None)
    }

    /// Returns the value of `sinceTime`: whole seconds, rounded down (the API takes no fractions).
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
