//! Durations and sizes, in the same notation as in a pipeline.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use sidestep_contract::units::{self, bytes, milliseconds};

/// A duration of at least one second: `60s`, `2m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Time(pub Duration);

/// A size of at least `LEAST` MiB: `512Mi`, `2Gi`. Nothing works with less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct SizeFrom<const LEAST: u64>(pub u64);

/// A size in a file: YAML reads a size without a unit as a number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Written {
    Bytes(u64),
    Text(String),
}

/// The memory limit of a compiler process.
pub type Size = SizeFrom<64>;

/// The limit on what a run may write.
pub type Limit = SizeFrom<1>;

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let takes = |ms: &u64| *ms >= 1_000;
        let spelling = match milliseconds(text) {
            Ok(ms) if takes(&ms) => return Ok(Self(Duration::from_millis(ms))),
            Ok(_) => None,
            Err(misfit) => {
                misfit.spelling_where(|text| milliseconds(text).is_ok_and(|ms| takes(&ms)))
            }
        };
        let spelling = spelling.as_deref().unwrap_or("60s or 5m");
        Err(format!("a time from 1s, such as {spelling}"))
    }
}

impl<const LEAST: u64> FromStr for SizeFrom<LEAST> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let takes = |size: &u64| *size >= LEAST << 20;
        let spelling = match bytes(text) {
            Ok(size) if takes(&size) => return Ok(Self(size)),
            Ok(_) => None,
            Err(misfit) => misfit.spelling_where(|text| bytes(text).is_ok_and(|size| takes(&size))),
        };
        let spelling = spelling.as_deref().unwrap_or("512Mi or 2Gi");
        Err(format!("a size from {LEAST}Mi, such as {spelling}"))
    }
}

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl<const LEAST: u64> TryFrom<Written> for SizeFrom<LEAST> {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Bytes(bytes) => bytes.to_string().parse(),
            Written::Text(text) => text.parse(),
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.subsec_millis() {
            0 => write!(f, "{}s", self.0.as_secs()),
            _ => write!(f, "{}ms", self.0.as_millis()),
        }
    }
}

impl<const LEAST: u64> fmt::Display for SizeFrom<LEAST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&units::shown_bytes(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_read() {
        for text in ["60s", "1500ms"] {
            assert_eq!(text.parse::<Time>().expect(text).to_string(), text);
        }
        for text in ["1Gi", "1536Mi", "65537Ki", "100000000"] {
            assert_eq!(text.parse::<Size>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn a_file_may_have_a_size_in_bytes() {
        let read = |text: &str| serde_json::from_str::<Size>(text).ok();
        assert_eq!(read("1073741824"), Some(SizeFrom(1 << 30)));
        assert_eq!(read("\"1Gi\""), Some(SizeFrom(1 << 30)));
        assert_eq!(read("1"), None);
        assert_eq!(read("-1"), None);
    }

    #[test]
    fn what_no_work_could_be_done_with_is_refused() {
        for text in ["", "0s", "999ms", "60", "forever"] {
            text.parse::<Time>().expect_err(text);
        }
        for text in ["", "0", "63Mi", "1GB", "much"] {
            text.parse::<Size>().expect_err(text);
        }
    }
}
