//! Mutations of bytes that often break parsers.

/// Inserted tokens: limits of numbers, of encodings and of nesting.
const TOKENS: [&[u8]; 24] = [
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xed\xa0\x80",
    b"\xe2\x80\xae",
    b"\x1b[2J",
    b"\r\n",
    b"\n",
    b"\t",
    b" ",
    b"\"",
    b"'",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b"*",
    b"&",
    b"${{ ",
    b"-1",
    b"18446744073709551616",
    b"1e999",
];

/// Generates mutations. The same seed and name give the same mutations.
pub(crate) struct Mutator(u64);

impl Mutator {
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        let of_name = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ of_name)
    }

    /// Returns a changed copy of one of the inputs, of at most `longest` bytes.
    pub(crate) fn mutate(&mut self, inputs: &[Vec<u8>], longest: usize) -> Vec<u8> {
        let mut bytes = self.one(inputs).to_vec();
        // A few changes keep the input's meaning, and many find unexpected input.
        for _ in 0..=self.below(4) * self.below(4) {
            self.change(&mut bytes, inputs);
            bytes.truncate(longest);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, inputs: &[Vec<u8>]) {
        let at = self.below(bytes.len() + 1);
        match self.below(8) {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
            1 => {
                let random = self.next() as u8;
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random;
                }
            }
            2 => {
                let token = TOKENS[self.below(TOKENS.len())];
                bytes.splice(at..at, token.iter().copied());
            }
            3 => {
                let end = at + self.below(bytes.len() - at + 1);
                bytes.drain(at..end);
            }
            4 => bytes.truncate(at),
            // Nesting and repetition.
            5 => {
                let end = at + self.below((bytes.len() - at).min(32) + 1);
                let part = bytes[at..end].to_vec();
                let times = 1 << self.below(8);
                let repeated = std::iter::repeat_n(part, times).flatten();
                bytes.splice(at..at, repeated.collect::<Vec<_>>());
            }
            // Content of another input.
            6 => {
                let other = self.one(inputs);
                let from = self.below(other.len() + 1);
                let to = from + self.below(other.len() - from + 1);
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            _ => {
                let from = self.below(bytes.len() + 1);
                if at < bytes.len() && from < bytes.len() {
                    bytes.swap(at, from);
                }
            }
        }
    }

    fn one<'i>(&mut self, inputs: &'i [Vec<u8>]) -> &'i [u8] {
        inputs
            .get(self.below(inputs.len()))
            .map_or(&[], Vec::as_slice)
    }

    /// Returns a number below `end`, or 0 if `end` is 0.
    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 16) as usize % end.max(1)
    }

    /// SplitMix64 (Steele, Lea, Flood, 2014).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
