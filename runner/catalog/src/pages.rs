//! Code that the runner's build embeds so that it can be executed in place.

use std::fmt;

/// Bytes that fill whole pages of memory. No other data is on these pages, so their protection can
/// be changed.
#[repr(C, align(4096))]
pub struct Pages<T: ?Sized>(pub T);

impl Pages<[u8]> {
    /// Returns the bytes, without the padding of the last page.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Pages<[u8]> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pages({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_begin_and_end_at_the_border_of_one() {
        static ONE: &Pages<[u8]> = &Pages([7; 1]);
        assert_eq!(ONE.bytes(), [7]);
        assert_eq!(ONE.bytes().as_ptr().addr() % 4096, 0);
        assert_eq!(size_of_val(ONE), 4096);
    }
}
