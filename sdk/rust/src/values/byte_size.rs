//! An amount of bytes with units.

use std::fmt;
use std::str::FromStr;

use super::text::{ParseValueError, text_value};

/// An amount of bytes with Kubernetes' suffixes: `512Mi`, `16Gi`, `5G`, `1024`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(u64);

text_value!(ByteSize, "byte-size", Some("^[0-9]+([KMGTPE]i|[kMGTPE])?$"));

/// Binary suffixes first, largest first: the way a size is written.
const SUFFIXES: [(&str, u64); 12] = [
    ("Ei", 1 << 60),
    ("Pi", 1 << 50),
    ("Ti", 1 << 40),
    ("Gi", 1 << 30),
    ("Mi", 1 << 20),
    ("Ki", 1 << 10),
    ("E", 1_000_000_000_000_000_000),
    ("P", 1_000_000_000_000_000),
    ("T", 1_000_000_000_000),
    ("G", 1_000_000_000),
    ("M", 1_000_000),
    ("k", 1000),
];

impl ByteSize {
    /// This many bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        let wrong = || ParseValueError::new("a size such as 512Mi, 16Gi or 5G", text);
        let digits = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, suffix) = text.split_at(digits);
        let factor = if suffix.is_empty() {
            1
        } else {
            SUFFIXES
                .iter()
                .find(|(known, _)| *known == suffix)
                .ok_or_else(wrong)?
                .1
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        number.checked_mul(factor).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = SUFFIXES[..6]
            .iter()
            .find(|(_, factor)| self.0 != 0 && self.0.is_multiple_of(*factor));
        match exact {
            Some((suffix, factor)) => write!(f, "{}{suffix}", self.0 / factor),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_suffixes() {
        for (text, bytes, canonical) in [
            ("512Mi", 512 << 20, "512Mi"),
            ("1024Mi", 1 << 30, "1Gi"),
            ("5G", 5_000_000_000, "5000000000"),
            ("1500", 1500, "1500"),
            ("0", 0, "0"),
        ] {
            let size: ByteSize = text.parse().expect(text);
            assert_eq!(
                (size.bytes(), size.to_string()),
                (bytes, canonical.to_owned())
            );
        }
    }

    #[test]
    fn refuses_other_units_and_what_does_not_fit() {
        for text in ["", "Mi", "1.5Gi", "10MB", "-1", "16Ei", "1 Gi"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }
}
