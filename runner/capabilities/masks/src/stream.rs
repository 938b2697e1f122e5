use std::sync::Arc;

use super::Masks;
use super::covers::replace;
use super::finder::Finder;

/// Masks bytes that arrive in pieces: the output does not depend on how they are split.
///
/// Bytes that may be the beginning of a secret are held back until the next piece or
/// [`finish`](Self::finish) decides. Everything else passes unchanged, including escapes and
/// colours.
#[derive(Debug)]
pub struct MaskStream {
    masks: Arc<Masks>,
    finder: Option<Finder>,
    held: Vec<u8>,
    /// The offset of the first byte that is held back.
    from: u64,
    /// The output for the bytes before this offset is not returned.
    known: u64,
    in_mask: bool,
}

impl MaskStream {
    pub(super) fn new(masks: Arc<Masks>, known: u64) -> Self {
        Self {
            masks,
            finder: None,
            held: Vec::new(),
            from: 0,
            known,
            in_mask: false,
        }
    }

    /// Accepts the next piece and returns the output that is decided.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let needles = self.masks.current();
        if needles.is_empty() {
            let known = usize::try_from(self.known.saturating_sub(self.from));
            let known = known.unwrap_or(usize::MAX).min(bytes.len());
            self.from += bytes.len() as u64;
            return bytes[known..].to_vec();
        }
        let mut finder = match self.finder.take() {
            Some(finder) if finder.looks_for(&needles) => finder,
            // A secret was added: it may begin in the held-back bytes.
            before => {
                let mut finder = Finder::new(needles, self.from);
                for byte in &self.held {
                    finder.push(*byte);
                }
                finder.adopt(before);
                finder
            }
        };
        self.held.extend_from_slice(bytes);
        for byte in bytes {
            finder.push(*byte);
        }
        let decided = finder.undecided();
        let out = self.emit(&mut finder, decided);
        self.finder = Some(finder);
        out
    }

    /// Returns the number of bytes that are held back.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Ends the text and returns the output of the held-back bytes.
    pub fn finish(mut self) -> Vec<u8> {
        let Some(mut finder) = self.finder.take() else {
            return Vec::new();
        };
        finder.finish();
        self.emit(&mut finder, u64::MAX)
    }

    fn emit(&mut self, finder: &mut Finder, before: u64) -> Vec<u8> {
        if self.from < self.known {
            let known = self.known.min(before);
            drop(self.take(finder, known));
        }
        self.take(finder, before)
    }

    fn take(&mut self, finder: &mut Finder, before: u64) -> Vec<u8> {
        let covers = finder.take_covers(before);
        let count = usize::try_from(before - self.from).unwrap_or(usize::MAX);
        let count = count.min(self.held.len());
        let out = replace(&self.held[..count], self.from, &covers, &mut self.in_mask);
        self.held.drain(..count);
        self.from += count as u64;
        out
    }
}

#[cfg(test)]
mod tests;
