//! Splits a container's log, as the API server streams it, into stamped lines.
//!
//! With `timestamps=true` each line is `STAMP SPACE TEXT NEWLINE`. A line without a stamp is not
//! from the container: the kubelet writes its own errors into the stream of a log that it cannot
//! read, with status 200 (kubernetes/kubernetes, pkg/kubelet/kuberuntime). A line may have any
//! length and hold any bytes; it is passed on in pieces of about [`PIECE`] bytes, so that a line of
//! several gigabytes needs no more memory than that.

use jiff::Timestamp;
use sidestep_events::LineEnd;

/// The size of a piece of a long line, in bytes. A piece is longer by at most the longest stamp.
pub const PIECE: usize = 64 * 1024;

/// The maximum length of a stamp: `2006-01-02T15:04:05.999999999+07:00`.
const LONGEST_STAMP: usize = 35;

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The line's stamp.
    pub stamp: Timestamp,
    /// Bytes of the text, without the stamp and without the line's end.
    pub bytes: Vec<u8>,
    /// Whether the line begins here.
    pub first: bool,
    /// Whether and how the line ends here.
    pub end: LineEnd,
}

impl Piece {
    /// Returns whether nothing more of the line follows.
    pub fn is_last(&self) -> bool {
        self.end != LineEnd::Open
    }
}

/// A part of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cut {
    /// A piece of a line.
    Piece(Piece),
    /// Text without a stamp: it is from the node, not from the container.
    Unstamped(Vec<u8>),
}

/// Splits a byte stream into pieces of lines.
#[derive(Debug)]
pub(super) struct Lines {
    /// The size of a piece of a long line, in bytes.
    piece: usize,
    buffer: Vec<u8>,
    /// The stamp of the incomplete line, once it is read.
    under_way: Option<Option<Timestamp>>,
}

impl Lines {
    /// Splits long lines into pieces of this many bytes.
    pub(super) fn of(piece: usize) -> Self {
        Self {
            piece,
            buffer: Vec::new(),
            under_way: None,
        }
    }

    /// Accepts bytes as they arrive and returns the complete pieces.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Vec<Cut> {
        let mut pieces = Vec::new();
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.buffer.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            self.cut_long(&mut pieces);
            let piece = self.take(self.buffer.len(), LineEnd::Feed);
            pieces.push(piece);
        }
        self.buffer.extend_from_slice(bytes);
        self.cut_long(&mut pieces);
        pieces
    }

    /// Returns the rest when the stream has ended without a line end: the last line of a process
    /// that did not end it, or one that a lost connection cut off. Only the caller knows which.
    pub(super) fn finish(&mut self) -> Option<Cut> {
        if self.buffer.is_empty() && self.under_way.is_none() {
            return None;
        }
        Some(self.take(self.buffer.len(), LineEnd::Missing))
    }

    fn cut_long(&mut self, pieces: &mut Vec<Cut>) {
        while self.buffer.len() > self.piece + LONGEST_STAMP {
            let piece = self.take(self.piece, LineEnd::Open);
            pieces.push(piece);
        }
    }

    fn take(&mut self, length: usize, end: LineEnd) -> Cut {
        let first = self.under_way.is_none();
        let (stamp, skipped) = match self.under_way {
            Some(stamp) => (stamp, 0),
            None => stamp_of(&self.buffer),
        };
        let mut bytes: Vec<u8> = self.buffer.drain(..length.max(skipped)).collect();
        bytes.drain(..skipped);
        self.under_way = (end == LineEnd::Open).then_some(stamp);
        match stamp {
            Some(stamp) => Cut::Piece(Piece {
                stamp,
                bytes,
                first,
                end,
            }),
            None => Cut::Unstamped(bytes),
        }
    }
}

/// Returns the stamp at a line's beginning, and the number of bytes of it and its space.
fn stamp_of(line: &[u8]) -> (Option<Timestamp>, usize) {
    let head = &line[..line.len().min(LONGEST_STAMP + 1)];
    let text = head
        .iter()
        .position(|byte| *byte == b' ')
        .or((head.len() == line.len()).then_some(head.len()))
        .and_then(|end| std::str::from_utf8(&head[..end]).ok());
    match text.and_then(|text| Some((text.parse::<Timestamp>().ok()?, text.len()))) {
        Some((stamp, length)) => (Some(stamp), (length + 1).min(line.len())),
        None => (None, 0),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STAMP: &str = "2026-11-24T04:30:27.123456789Z";

    fn lines(cuts: Vec<Cut>) -> Vec<(Timestamp, Vec<u8>)> {
        let mut lines: Vec<(Timestamp, Vec<u8>)> = Vec::new();
        for cut in cuts {
            let Cut::Piece(piece) = cut else {
                panic!("{cut:?} has no stamp");
            };
            if piece.first {
                lines.push((piece.stamp, Vec::new()));
            }
            lines
                .last_mut()
                .expect("a line begins with its first piece")
                .1
                .extend(piece.bytes);
        }
        lines
    }

    #[test]
    fn a_line_of_ten_megabytes_passes_in_small_pieces() {
        let text = vec![b'x'; 10 * 1024 * 1024];
        let mut stream = format!("{STAMP} ").into_bytes();
        stream.extend_from_slice(&text);
        stream.push(b'\n');
        let mut cutter = Lines::of(PIECE);
        let mut pieces = Vec::new();
        for chunk in stream.chunks(8 * 1024) {
            pieces.extend(cutter.push(chunk));
            assert!(cutter.buffer.len() <= PIECE + LONGEST_STAMP);
        }
        assert!(pieces.iter().all(
            |cut| matches!(cut, Cut::Piece(piece) if piece.bytes.len() <= PIECE + LONGEST_STAMP)
        ));
        assert_eq!(lines(pieces), [(stamp(), text)]);
    }

    fn stamp() -> Timestamp {
        STAMP.parse().expect("a time")
    }

    #[test]
    fn an_empty_line_is_a_line() {
        let mut cutter = Lines::of(PIECE);
        let pieces = cutter.push(format!("{STAMP} \n{STAMP}\n").as_bytes());
        assert_eq!(lines(pieces), [(stamp(), vec![]), (stamp(), vec![])]);
        assert_eq!(cutter.finish(), None);
    }

    #[test]
    fn what_the_kubelet_says_of_a_log_is_no_line_of_it() {
        let said = "unable to retrieve container logs for containerd://4f2a";
        let mut cutter = Lines::of(PIECE);
        let pieces = cutter.push(format!("{STAMP} built\n{said}").as_bytes());
        assert_eq!(lines(pieces), [(stamp(), b"built".to_vec())]);
        assert_eq!(cutter.finish(), Some(Cut::Unstamped(said.into())));
    }

    proptest! {
        /// The lines do not depend on how the stream is split into chunks.
        #[test]
        fn chunks_do_not_matter(
            texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..8),
            size in 1_usize..50,
        ) {
            let texts: Vec<Vec<u8>> = texts
                .into_iter()
                .map(|text| text.into_iter().filter(|byte| *byte != b'\n').collect())
                .collect();
            let mut stream = Vec::new();
            for text in &texts {
                stream.extend_from_slice(STAMP.as_bytes());
                stream.push(b' ');
                stream.extend_from_slice(text);
                stream.push(b'\n');
            }
            let mut cutter = Lines::of(PIECE);
            let mut pieces = Vec::new();
            for chunk in stream.chunks(size) {
                pieces.extend(cutter.push(chunk));
            }
            prop_assert!(cutter.finish().is_none());
            let expected: Vec<_> = texts.into_iter().map(|text| (stamp(), text)).collect();
            prop_assert_eq!(lines(pieces), expected);
        }
    }
}
