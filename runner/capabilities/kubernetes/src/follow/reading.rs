//! Reads the part of a log that one connection delivers.

use sidestep_gate::Position;

use super::Gap;
use super::lines::{Cut, Lines, Piece};
use super::passage::{Passage, Passed};

/// The maximum number of bytes that are kept of the node's text.
const MOST_SAID: usize = 1024;

/// A part of a log.
pub(crate) enum Taken {
    /// A piece, and the position once it is stored.
    Piece(Piece, Position),
    /// Lines may be missing before the next piece.
    Gap(Gap),
}

/// Reads the part of a log that one connection delivers.
pub(crate) struct Reading {
    lines: Lines,
    passage: Passage,
    /// The text without a stamp so far.
    unstamped: Vec<u8>,
    /// Whether the server was asked for a part of the log, and no stamped text has arrived yet.
    in_older_line: bool,
}

impl Reading {
    /// Resumes after `position`. Long lines are split into pieces of this many bytes.
    pub(crate) fn new(position: Position, piece: usize) -> Self {
        Self {
            lines: Lines::of(piece),
            passage: Passage::new(position),
            unstamped: Vec::new(),
            in_older_line: position.since().is_some(),
        }
    }

    /// Accepts bytes as they arrive and passes on the new ones.
    pub(crate) fn push(&mut self, bytes: &[u8], take: &mut impl FnMut(Taken)) {
        for cut in self.lines.push(bytes) {
            self.cut(cut, take);
        }
    }

    /// Ends the connection, and returns the node's text, if it sent one instead of a log. `over` is
    /// whether the container cannot write any more.
    pub(crate) fn finish(mut self, over: bool, take: &mut impl FnMut(Taken)) -> Option<String> {
        match self.lines.finish() {
            Some(Cut::Piece(_)) if !over => {}
            Some(cut) => self.cut(cut, take),
            None => {}
        }
        let said = String::from_utf8_lossy(&self.unstamped);
        (!said.is_empty()).then(|| said.trim().to_owned())
    }

    fn cut(&mut self, cut: Cut, take: &mut impl FnMut(Taken)) {
        match cut {
            Cut::Piece(piece) => {
                if std::mem::take(&mut self.in_older_line) {
                    // The kubelet selects by the time of each 16 KiB, and stamps only the first of
                    // a line: a log that was requested since a time may begin with the end of an
                    // older line.
                    self.unstamped.clear();
                }
                self.passage.pass(piece, &mut |passed| {
                    take(match passed {
                        Passed::Gap(gap) => Taken::Gap(gap),
                        Passed::Piece(piece, position) => Taken::Piece(piece, position),
                    });
                });
            }
            Cut::Unstamped(bytes) => self.keep_unstamped(&bytes),
        }
    }

    fn keep_unstamped(&mut self, bytes: &[u8]) {
        if !self.unstamped.is_empty() {
            self.unstamped.extend_from_slice(b"; ");
        }
        self.unstamped.extend_from_slice(bytes);
        self.unstamped.truncate(MOST_SAID);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_older_line_is_not_taken_for_the_nodes_words() {
        let position = Position::default().after("2026-11-24T04:30:28.5Z".parse().expect("a time"));
        let mut reading = Reading::new(position, 8);
        let mut taken = Vec::new();
        let mut take = |piece: Taken| {
            if let Taken::Piece(piece, _) = piece {
                taken.push(piece.bytes);
            }
        };
        reading.push(
            b"the end of a long line\n2026-11-24T04:30:28.5Z last\n2026-11-24T04:30:29Z new\n",
            &mut take,
        );
        assert_eq!(reading.finish(true, &mut take), None);
        assert_eq!(taken.concat(), b"new");
    }

    #[test]
    fn words_of_the_node_are_told_from_the_log() {
        let mut reading = Reading::new(Position::default(), 8);
        let mut take = |_| {};
        reading.push(
            b"2026-11-24T04:30:28Z a\nunable to retrieve container logs",
            &mut take,
        );
        assert_eq!(
            reading.finish(false, &mut take).as_deref(),
            Some("unable to retrieve container logs")
        );
    }
}
