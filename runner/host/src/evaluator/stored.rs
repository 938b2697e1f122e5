//! The stored form of a module's memory: its size, and the ranges that differ from a new one.

use std::ops::Range;

/// The granularity of the stored ranges in bytes: a page of most machines.
const CHUNK: usize = 4096;
/// The size of a number in the stored form, in bytes.
const NUMBER: usize = 4;

/// Encodes the size of a memory, and the start, length and bytes of each changed range.
pub(super) fn keep(before: &[u8], after: &[u8]) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    let mut kept = number(after.len()).to_vec();
    for range in changed(before, after) {
        kept.extend(number(range.start));
        kept.extend(number(range.len()));
        kept.extend(&after[range]);
    }
    kept
}

/// Returns the ranges of chunks that differ. Memory that was added counts as zero before.
fn changed(before: &[u8], after: &[u8]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (index, chunk) in after.chunks(CHUNK).enumerate() {
        let range = index * CHUNK..index * CHUNK + chunk.len();
        let same = match before.get(range.clone()) {
            Some(before) => before == chunk,
            None => chunk.iter().all(|byte| *byte == 0),
        };
        if same {
            continue;
        }
        match ranges.last_mut().filter(|last| last.end == range.start) {
            Some(last) => last.end = range.end,
            None => ranges.push(range),
        }
    }
    ranges
}

/// A decoder of a stored memory.
pub(super) struct Kept<'a> {
    /// The size of the memory in bytes.
    pub(super) size: usize,
    rest: &'a [u8],
}

impl<'a> Kept<'a> {
    /// Starts decoding; returns `None` if nothing was stored.
    pub(super) fn read(kept: &'a [u8]) -> Option<Self> {
        let mut rest = kept;
        let size = number(&mut rest)?;
        Some(Self { size, rest })
    }

    /// Returns the next range: its start and its bytes.
    pub(super) fn next(&mut self) -> Option<(usize, &'a [u8])> {
        let start = number(&mut self.rest)?;
        let length = number(&mut self.rest)?;
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some((start, bytes))
    }
}

fn number(rest: &mut &[u8]) -> Option<usize> {
    let (number, after) = rest.split_first_chunk::<NUMBER>()?;
    *rest = after;
    Some(u32::from_le_bytes(*number) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_chunks_that_changed_are_kept() {
        let before = vec![1; 3 * CHUNK];
        let mut after = before.clone();
        after.resize(6 * CHUNK, 0);
        for changed in [CHUNK, 2 * CHUNK + 7, 5 * CHUNK] {
            after[changed] = 2;
        }
        let kept = keep(&before, &after);
        let mut read = Kept::read(&kept).expect("kept");
        assert_eq!(read.size, after.len());
        let mut restored = before.clone();
        restored.resize(read.size, 0);
        let mut ranges = Vec::new();
        while let Some((start, bytes)) = read.next() {
            restored[start..start + bytes.len()].copy_from_slice(bytes);
            ranges.push(start..start + bytes.len());
        }
        assert_eq!(ranges, [CHUNK..3 * CHUNK, 5 * CHUNK..6 * CHUNK]);
        assert_eq!(restored, after);
        assert!(Kept::read(&[]).is_none());
    }
}
