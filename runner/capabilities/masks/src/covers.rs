//! The positions of secrets in a text.

use std::ops::Range;

use super::MASK;

/// Ranges in their order; adjacent ones are merged.
#[derive(Debug, Default)]
pub(super) struct Covers(Vec<Range<u64>>);

impl Covers {
    /// Adds a range.
    pub(super) fn add(&mut self, place: Range<u64>) {
        let first = self.0.partition_point(|known| known.end < place.start);
        let after = self.0.partition_point(|known| known.start <= place.end);
        let Some(touched) = self.0.get(first..after).filter(|known| !known.is_empty()) else {
            self.0.insert(first, place);
            return;
        };
        let start = place.start.min(touched[0].start);
        let end = place.end.max(touched[touched.len() - 1].end);
        self.0.drain(first + 1..after);
        self.0[first] = start..end;
    }

    /// Removes and returns the ranges before an offset; a range that extends beyond it is split
    /// there.
    pub(super) fn take(&mut self, before: u64) -> Vec<Range<u64>> {
        let whole = self.0.partition_point(|known| known.end <= before);
        let mut taken: Vec<_> = self.0.drain(..whole).collect();
        if let Some(cut) = self.0.first_mut().filter(|known| known.start < before) {
            taken.push(cut.start..before);
            cut.start = before;
        }
        taken
    }
}

/// Returns the bytes, which begin at the offset `from`, with a mask in place of each cover.
///
/// `in_mask` is whether the byte before them was covered: then a cover at their beginning gets no
/// mask of its own. It is updated to the state of their last byte.
pub(super) fn replace(
    bytes: &[u8],
    from: u64,
    covers: &[Range<u64>],
    in_mask: &mut bool,
) -> Vec<u8> {
    let place = |offset: u64| usize::try_from(offset - from).unwrap_or(bytes.len());
    let mut out = Vec::with_capacity(bytes.len());
    let mut done = 0;
    for cover in covers {
        let start = place(cover.start);
        out.extend_from_slice(&bytes[done..start]);
        if start > done || !*in_mask {
            out.extend_from_slice(MASK.as_bytes());
        }
        *in_mask = true;
        done = place(cover.end);
    }
    if done < bytes.len() {
        out.extend_from_slice(&bytes[done..]);
        *in_mask = false;
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The result equals that of a flag for each byte.
        #[test]
        fn places_are_joined(
            places in prop::collection::vec((0_u64..30, 1_u64..8), 0..12),
            cut in 0_u64..40,
        ) {
            let mut covers = Covers::default();
            let mut flags = [false; 40];
            for (start, length) in places {
                covers.add(start..start + length);
                flags[start as usize..(start + length) as usize].fill(true);
            }
            let before = covers.take(cut);
            prop_assert!(before.iter().all(|place| !place.is_empty() && place.end <= cut));
            let mut taken = [false; 40];
            let mut last = None;
            for place in before.into_iter().chain(covers.take(40)) {
                prop_assert!(last.is_none_or(|last| last < place.start || place.start == cut));
                last = Some(place.end);
                taken[place.start as usize..place.end as usize].fill(true);
            }
            prop_assert_eq!(taken, flags);
            prop_assert!(covers.take(u64::MAX).is_empty());
        }
    }
}
