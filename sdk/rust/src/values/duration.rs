//! A time with units.

use std::fmt;
use std::str::FromStr;

use sidestep_contract::units;

use super::text::{ParseValueError, text_value};

/// A length of time as a pipeline writes it: `30s`, `10m`, `1h30m`, `250ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration(std::time::Duration);

text_value!(Duration, "duration", Some(units::TIME_PATTERN));

impl Duration {
    /// Returns a time of this many seconds.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Duration;
    ///
    /// assert_eq!("1m30s".parse(), Ok(Duration::from_secs(90)));
    /// ```
    pub const fn from_secs(seconds: u64) -> Self {
        Self(std::time::Duration::from_secs(seconds))
    }

    /// Returns the time as the standard library's type.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Duration;
    ///
    /// assert_eq!(Duration::from_secs(90).get().as_millis(), 90_000);
    /// ```
    pub const fn get(self) -> std::time::Duration {
        self.0
    }
}

impl From<Duration> for std::time::Duration {
    fn from(duration: Duration) -> Self {
        duration.0
    }
}

impl FromStr for Duration {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        units::milliseconds(text)
            .map(|millis| Self(std::time::Duration::from_millis(millis)))
            .map_err(|misfit| {
                ParseValueError::misfit("a time with units such as 30s or 1h30m", &misfit, text)
            })
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        f.write_str(&units::shown_milliseconds(millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_units() {
        for (text, millis, canonical) in [
            ("30s", 30_000, "30s"),
            ("90m", 5_400_000, "1h30m"),
            ("1h30m", 5_400_000, "1h30m"),
            ("250ms", 250, "250ms"),
            ("2d", 172_800_000, "2d"),
            ("0s", 0, "0s"),
        ] {
            let duration: Duration = text.parse().expect(text);
            assert_eq!(duration.get().as_millis(), millis, "{text}");
            assert_eq!(duration.to_string(), canonical);
        }
    }

    #[test]
    fn refuses_what_has_no_unit_or_is_too_long() {
        for text in [
            "",
            "30",
            "s",
            "1.5h",
            "-1s",
            "3 s",
            "10y",
            "99999999999999999999s",
            "1hé",
        ] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }
}
