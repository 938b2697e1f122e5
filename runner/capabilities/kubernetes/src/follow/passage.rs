//! Filters the new part of the log that one connection delivers.

use sidestep_events::LineEnd;
use sidestep_gate::{Part, Position};

use super::Gap;
use super::lines::Piece;
use super::resume::Resume;

/// A new part of the log.
pub(super) enum Passed {
    /// Lines may be missing here.
    Gap(Gap),
    /// A new piece, and the position once it is stored.
    Piece(Piece, Position),
}

/// Passes on the new pieces.
pub(super) struct Passage {
    resume: Resume,
    position: Position,
    /// Whether the incomplete line is new, and how many of its bytes have passed.
    new: bool,
    passed: u64,
}

impl Passage {
    /// Creates the filter of a connection whose log was already read up to `position`.
    pub(super) fn new(position: Position) -> Self {
        Self {
            resume: Resume::new(position),
            position,
            new: false,
            passed: 0,
        }
    }

    /// Accepts a piece, and calls `through` with the new part of it.
    pub(super) fn pass(&mut self, mut piece: Piece, through: &mut impl FnMut(Passed)) {
        if piece.first {
            self.begin(&piece, through);
        }
        if !self.new {
            return;
        }
        let length = piece.bytes.len() as u64;
        let before = self.position.part.map_or(0, |part| part.bytes);
        let known = before.saturating_sub(self.passed).min(length);
        self.passed += length;
        // At most the piece's own length, which is a usize.
        piece
            .bytes
            .drain(..usize::try_from(known).unwrap_or(usize::MAX));
        piece.first = before == 0;
        if piece.is_last() {
            self.position = self.position.after(piece.stamp);
        } else if piece.bytes.is_empty() {
            return;
        } else {
            self.position = self.position.within(Some(Part {
                time: piece.stamp,
                bytes: self.passed,
            }));
        }
        through(Passed::Piece(piece, self.position));
    }

    fn begin(&mut self, piece: &Piece, through: &mut impl FnMut(Passed)) {
        let gap = self.resume.gap_before(piece.stamp);
        self.new = self.resume.is_new(piece.stamp);
        self.passed = 0;
        // A line that was read in part is no longer in the log: its end is lost.
        if self.new
            && let Some(part) = self.position.part
            && part.time != piece.stamp
        {
            self.position = self.position.within(None);
            let end = Piece {
                stamp: part.time,
                bytes: Vec::new(),
                first: false,
                end: LineEnd::Missing,
            };
            through(Passed::Piece(end, self.position));
        }
        if let Some(after) = gap {
            let before = piece.stamp;
            through(Passed::Gap(Gap { after, before }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(stamp: &str, bytes: &str, first: bool, end: LineEnd) -> Piece {
        Piece {
            stamp: stamp.parse().expect("a time"),
            bytes: bytes.into(),
            first,
            end,
        }
    }

    const ONE: &str = "2026-11-24T04:30:27.5Z";
    const TWO: &str = "2026-11-24T04:30:28.5Z";

    fn passed(passage: &mut Passage, piece: Piece) -> Vec<Option<Piece>> {
        let mut all = Vec::new();
        passage.pass(piece, &mut |passed| {
            all.push(match passed {
                Passed::Gap(_) => None,
                Passed::Piece(piece, _) => Some(piece),
            });
        });
        all
    }

    #[test]
    fn a_line_that_a_lost_connection_cut_is_finished_not_repeated() {
        let mut before = Passage::new(Position::default());
        let abc = piece(ONE, "abc", true, LineEnd::Open);
        assert_eq!(passed(&mut before, abc.clone()), [Some(abc)]);
        assert_eq!(before.position.part.map(|part| part.bytes), Some(3));
        let mut after = Passage::new(before.position);
        assert_eq!(
            passed(&mut after, piece(ONE, "ab", true, LineEnd::Open)),
            []
        );
        // Still three, if this connection is lost as well.
        assert_eq!(after.position, before.position);
        assert_eq!(
            passed(&mut after, piece(ONE, "cdef", false, LineEnd::Feed)),
            [Some(piece(ONE, "def", false, LineEnd::Feed))]
        );
        let next = piece(TWO, "next", true, LineEnd::Feed);
        assert_eq!(passed(&mut after, next.clone()), [Some(next)]);
        assert_eq!(
            after.position,
            Position::default().after(TWO.parse().expect("a time"))
        );
    }

    #[test]
    fn a_line_whose_end_is_gone_takes_nothing_from_the_next() {
        let mut before = Passage::new(Position::default());
        passed(&mut before, piece(ONE, "a long li", true, LineEnd::Open));
        let mut after = Passage::new(before.position);
        let other = piece(TWO, "another", true, LineEnd::Feed);
        assert_eq!(
            passed(&mut after, other.clone()),
            [Some(piece(ONE, "", false, LineEnd::Missing)), Some(other)]
        );
    }

    #[test]
    fn a_log_that_begins_behind_what_was_taken_has_a_gap() {
        let taken = Position::default().after(ONE.parse().expect("a time"));
        let next = piece(TWO, "next", true, LineEnd::Feed);
        let mut rotated = Passage::new(taken);
        assert_eq!(
            passed(&mut rotated, next.clone()),
            [None, Some(next.clone())]
        );
        let mut whole = Passage::new(taken);
        assert_eq!(
            passed(&mut whole, piece(ONE, "last", true, LineEnd::Feed)),
            []
        );
        assert_eq!(passed(&mut whole, next.clone()), [Some(next)]);
    }
}
