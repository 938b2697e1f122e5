use std::sync::Arc;

use super::{MASK, Masks};

/// Masks bytes that arrive in pieces: what comes out is the same for every way of cutting them.
///
/// Bytes that may be the beginning of a secret are held back until the next piece or
/// [`finish`](Self::finish) decides.
#[derive(Debug)]
pub struct MaskStream {
    masks: Arc<Masks>,
    held: Vec<u8>,
    covered: Vec<bool>,
    in_mask: bool,
}

impl MaskStream {
    pub(super) fn new(masks: Arc<Masks>) -> Self {
        Self {
            masks,
            held: Vec::new(),
            covered: Vec::new(),
            in_mask: false,
        }
    }

    /// Takes the next piece and returns what is decided by now.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        self.covered.resize(self.held.len(), false);
        let needles = self.masks.current();
        needles.each(&self.held, |start, end| {
            self.covered[start..end].fill(true);
        });
        // A needle that ends later begins in the pending bytes, so those before are decided.
        let decided = self.held.len() - needles.pending(&self.held);
        self.emit(decided)
    }

    /// How many bytes are held back by now.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// The end: returns what was held back.
    pub fn finish(mut self) -> Vec<u8> {
        self.emit(self.held.len())
    }

    fn emit(&mut self, count: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(count);
        for (byte, covered) in self.held.drain(..count).zip(self.covered.drain(..count)) {
            match (covered, self.in_mask) {
                (true, false) => out.extend_from_slice(MASK.as_bytes()),
                (true, true) => {}
                (false, _) => out.push(byte),
            }
            self.in_mask = covered;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked_in_pieces(masks: &Arc<Masks>, text: &[u8], cuts: &[usize]) -> Vec<u8> {
        let mut stream = masks.stream();
        let mut out = Vec::new();
        let mut from = 0;
        for &cut in cuts {
            out.extend(stream.push(&text[from..cut]));
            from = cut;
        }
        out.extend(stream.push(&text[from..]));
        out.extend(stream.finish());
        out
    }

    #[test]
    fn every_split_in_two_or_three_gives_the_same() {
        let masks = Arc::new(Masks::new());
        for secret in ["abcabd", "line one\nline two", "bdab"] {
            assert!(masks.add(secret));
        }
        let text = b"x abcabcabd bdabcabd line one\nline two line tw abc";
        let whole = masks.text(std::str::from_utf8(text).expect("ascii"));
        assert_eq!(whole, "x abc*** *** *** line tw abc");
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let pieces = masked_in_pieces(&masks, text, &[first, second]);
                assert_eq!(String::from_utf8_lossy(&pieces), whole, "{first} {second}");
            }
        }
    }

    #[test]
    fn a_line_that_can_be_no_secret_is_not_held_back() {
        let masks = Arc::new(Masks::new());
        assert!(masks.add("hunter22"));
        let mut stream = masks.stream();
        assert_eq!(stream.push(b"step 1\n"), b"step 1\n");
        assert_eq!(stream.push(b"hunt"), b"");
        assert_eq!(stream.push(b"ing\n"), b"hunting\n");
    }

    proptest! {
        /// For every text, every set of secrets and every way of cutting, the pieces give what the
        /// whole gives, and no secret comes through.
        #[test]
        fn no_split_lets_a_secret_through(
            secrets in prop::collection::vec("[ab\n]{4,7}", 1..4),
            text in "[ab\n ]{0,60}",
            cuts in prop::collection::vec(0usize..61, 0..12),
        ) {
            let masks = Arc::new(Masks::new());
            for secret in &secrets {
                masks.add(secret);
            }
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let pieces = masked_in_pieces(&masks, text.as_bytes(), &cuts);
            let pieces = String::from_utf8(pieces).expect("whole characters are masked");
            prop_assert_eq!(&pieces, &masks.text(&text));
            for secret in &secrets {
                prop_assert!(!pieces.contains(secret.as_str()));
            }
        }
    }
}
