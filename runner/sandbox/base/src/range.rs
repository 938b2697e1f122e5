//! Byte ranges (RFC 9110, section 14.1.2).

/// A part of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub first: u64,
    /// The number of bytes, at least one.
    pub length: u64,
}

/// The error for a range in which the body has no bytes: a 416.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the range is outside of the body")]
pub struct OutOfRange;

impl Span {
    /// Parses a `Range` header with one range, for a body of `size` bytes. `None` means that the
    /// header is ignored.
    ///
    /// # Errors
    /// If the body has no bytes in the range.
    pub fn parse(header: &str, size: u64) -> Option<Result<Self, OutOfRange>> {
        let (first, last) = header.trim().strip_prefix("bytes=")?.split_once('-')?;
        let (first, length) = if first.is_empty() {
            let length = last.parse::<u64>().ok()?.min(size);
            (size - length, length)
        } else {
            let first = first.parse::<u64>().ok()?;
            let last = match last {
                "" => u64::MAX,
                last => last.parse::<u64>().ok()?,
            };
            if last < first {
                return None;
            }
            let end = last.saturating_add(1).min(size);
            (first, end.saturating_sub(first))
        };
        Some(if length == 0 {
            Err(OutOfRange)
        } else {
            Ok(Self { first, length })
        })
    }

    /// Returns the `Content-Range` header of this part of a body of `size` bytes.
    pub fn content_range(self, size: u64) -> String {
        let Self { first, length } = self;
        format!("bytes {first}-{}/{size}", first + length - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_at_the_end_and_odd_ones_are_ignored() {
        let span = |first, length| Some(Ok(Span { first, length }));
        for (header, size, expected) in [
            ("bytes=0-3", 10, span(0, 4)),
            ("bytes=0-0", 10, span(0, 1)),
            ("bytes=7-", 10, span(7, 3)),
            ("bytes=7-99", 10, span(7, 3)),
            ("bytes=-3", 10, span(7, 3)),
            ("bytes=-99", 10, span(0, 10)),
            ("bytes=10-", 10, Some(Err(OutOfRange))),
            ("bytes=-0", 10, Some(Err(OutOfRange))),
            ("bytes=0-", 0, Some(Err(OutOfRange))),
            ("bytes=-3", 0, Some(Err(OutOfRange))),
            ("", 10, None),
            ("bytes=", 10, None),
            ("bytes=3-2", 10, None),
            ("bytes=x-2", 10, None),
            ("bytes=0-1,4-5", 10, None),
            ("lines=0-1", 10, None),
            ("bytes=0-18446744073709551615", 10, span(0, 10)),
        ] {
            assert_eq!(Span::parse(header, size), expected, "{header} of {size}");
        }
        let Some(Ok(part)) = Span::parse("bytes=7-", 10) else {
            panic!("a part");
        };
        assert_eq!(part.content_range(10), "bytes 7-9/10");
    }
}
