//! Reproducible random choices.

/// SplitMix64 (Steele, Lea, Flood 2014): the same questions on every machine.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }

    pub(crate) fn text(&mut self, from: &[&[u8]], most: usize) -> Vec<u8> {
        (0..=self.below(most))
            .flat_map(|_| from[self.below(from.len())].to_vec())
            .collect()
    }
}
