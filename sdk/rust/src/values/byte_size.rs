//! An amount of bytes with units.

use std::fmt;
use std::str::FromStr;

use sidestep_contract::units;

use super::text::{ParseValueError, text_value};

/// An amount of bytes with its unit: `512Mi`, `16Gi`, `5G`, `1024`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(u64);

text_value!(ByteSize, "byte-size", Some(units::SIZE_PATTERN));

impl ByteSize {
    /// Returns a size of this many bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::ByteSize;
    ///
    /// assert_eq!("2Ki".parse(), Ok(ByteSize::new(2048)));
    /// ```
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// Returns the number of bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::ByteSize;
    ///
    /// # fn main() -> Result<(), sidestep::ParseValueError> {
    /// let size: ByteSize = "16Gi".parse()?;
    /// assert_eq!(size.bytes(), 16 << 30);
    /// # Ok(())
    /// # }
    /// ```
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        units::bytes(text).map(Self).map_err(|misfit| {
            ParseValueError::misfit("a size such as 512Mi, 16Gi or 5G", &misfit, text)
        })
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&units::shown_bytes(self.0))
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
        let error = "10MB".parse::<ByteSize>().expect_err("10MB");
        assert_eq!(
            error.to_string(),
            r#"expected a size such as 512Mi, 16Gi or 5G, found "10MB"; write 10M or 10Mi"#
        );
    }
}
