//! The last bytes of a log, kept for the report of why it ended.

use std::collections::VecDeque;

/// The maximum number of bytes that are kept of one container's log.
pub(super) const CAPACITY: usize = 64 * 1024;

/// The last whole lines of a log, masked, in at most [`CAPACITY`] bytes.
#[derive(Debug, Default)]
pub(super) struct Tail {
    lines: VecDeque<String>,
    bytes: usize,
}

impl Tail {
    /// Adds a line, and removes older ones to make space.
    pub(super) fn push(&mut self, mut line: String) {
        if line.len() >= CAPACITY {
            line.truncate(line.floor_char_boundary(CAPACITY - 1));
        }
        self.bytes += line.len() + 1;
        self.lines.push_back(line);
        while self.bytes > CAPACITY {
            let Some(oldest) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= oldest.len() + 1;
        }
    }

    /// Returns the last lines that fit into `max` bytes, each with its line end.
    pub(super) fn last(&self, max: usize) -> String {
        let mut room = max.min(CAPACITY);
        let mut from = self.lines.len();
        while from > 0 && self.lines[from - 1].len() < room {
            room -= self.lines[from - 1].len() + 1;
            from -= 1;
        }
        self.lines
            .range(from..)
            .flat_map(|line| [line.as_str(), "\n"])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_cut_at_a_line_and_never_outgrows_its_room() {
        let mut tail = Tail::default();
        for number in 0..100_000 {
            tail.push(format!("line {number}"));
        }
        assert!(tail.bytes <= CAPACITY);
        assert_eq!(tail.last(22), "line 99998\nline 99999\n");
        assert_eq!(tail.last(21), "line 99999\n");
        assert_eq!(tail.last(3), "");
    }

    #[test]
    fn a_line_larger_than_the_room_is_cut() {
        let mut tail = Tail::default();
        tail.push("ä".repeat(CAPACITY));
        assert!(tail.last(CAPACITY).len() <= CAPACITY);
        assert!(!tail.last(CAPACITY).is_empty());
    }
}
