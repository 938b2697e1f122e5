//! A bucket's name.

use std::fmt;
use std::str::FromStr;

use super::text::{ParseValueError, text_value};

/// The name of a Cloud Storage bucket, without `gs://`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(String);

text_value!(
    Bucket,
    "bucket",
    Some("^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$")
);

impl Bucket {
    /// Returns the name.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Bucket;
    ///
    /// # fn main() -> Result<(), sidestep::ParseValueError> {
    /// let bucket: Bucket = "ci-contexts".parse()?;
    /// assert_eq!(bucket.as_str(), "ci-contexts");
    /// # Ok(())
    /// # }
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Bucket {
    type Err = ParseValueError;

    /// Parses a name by Cloud Storage's rule: 3 to 222 of `a-z 0-9 . _ -`, a letter or digit at
    /// both ends.
    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        let end = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = text.as_bytes();
        let fits = (3..=222).contains(&bytes.len())
            && bytes.iter().copied().all(inner)
            && end(bytes.first())
            && end(bytes.last());
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseValueError::new("a bucket's name, without gs://", text))
        }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_names_and_nothing_else() {
        assert_eq!(
            "ci-contexts".parse::<Bucket>().expect("a name").as_str(),
            "ci-contexts"
        );
        for text in ["", "ab", "gs://ci", "Upper", "-ci", "ci-", "a/b"] {
            assert!(text.parse::<Bucket>().is_err(), "{text}");
        }
    }
}
