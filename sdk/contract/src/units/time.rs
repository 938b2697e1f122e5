//! Times: whole numbers, each followed by `ms`, `s`, `m`, `h` or `d`, concatenated.

use super::Misfit;
use super::misfit::number;

/// The grammar of times as a regular expression, for JSON Schemas.
pub const TIME_PATTERN: &str = "^([0-9]+(ms|s|m|h|d))+$";

const EXAMPLES: &str = "30s, 10m or 1h30m";

/// The units with their milliseconds, largest first.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Misspelt units and the units that they mean.
const MISSPELT: [(&str, &str); 18] = [
    ("day", "d"),
    ("days", "d"),
    ("hr", "h"),
    ("hrs", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("msec", "ms"),
    ("msecs", "ms"),
    ("milli", "ms"),
    ("millis", "ms"),
];

/// Parses a time into milliseconds: `300ms`, `30s`, `10m`, `2h`, `1d`, `1h30m`.
///
/// # Errors
/// Returns a [`Misfit`] if the text is not a valid time, with the correct spelling of a near miss:
/// `30s` for `30 sec`.
pub fn milliseconds(text: &str) -> Result<u64, Misfit> {
    let exact = |unit: &str| {
        UNITS
            .iter()
            .map(|(name, _)| *name)
            .find(|name| *name == unit)
    };
    if let Some(total) = parts(text, exact).and_then(|parts| total(&parts)) {
        return Ok(total);
    }
    if text.parse::<u64>().is_ok_and(|number| number > 0) {
        let spellings = ["s", "m"].map(|unit| format!("{text}{unit}"));
        let is_valid =
            |near: &String| parts(near, exact).is_some_and(|parts| total(&parts).is_some());
        let valid = spellings.into_iter().filter(is_valid).collect();
        return Err(Misfit::near(valid, EXAMPLES));
    }
    let plain: String = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let alike = |unit: &str| {
        let misspelt = MISSPELT.iter().find(|(other, _)| *other == unit);
        exact(unit).or_else(|| misspelt.map(|(_, name)| *name))
    };
    let spelt = parts(&plain, alike).filter(|parts| total(parts).is_some());
    Err(match spelt {
        Some(parts) => {
            let spelling = parts.iter().map(|(count, unit)| format!("{count}{unit}"));
            Misfit::near(vec![spelling.collect()], EXAMPLES)
        }
        None => Misfit::new(EXAMPLES),
    })
}

impl Misfit {
    /// Returns the misfit for a valid time that is not allowed in its place.
    pub fn time() -> Self {
        Self::new(EXAMPLES)
    }
}

/// Returns a time in its units, largest first. [`milliseconds`] parses it back.
pub fn shown_milliseconds(time: u64) -> String {
    if time == 0 {
        return "0s".to_owned();
    }
    let mut rest = time;
    let mut shown = String::new();
    for (unit, factor) in UNITS {
        if rest >= factor {
            shown.push_str(&format!("{}{unit}", rest / factor));
            rest %= factor;
        }
    }
    shown
}

/// Returns the numbers with their units, or `None` if there is no number or a number has no unit.
fn parts(
    text: &str,
    unit_of: impl Fn(&str) -> Option<&'static str>,
) -> Option<Vec<(&str, &'static str)>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (count, tail) = number(rest);
        let end = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        count.parse::<u64>().ok()?;
        parts.push((count, unit_of(unit)?));
        rest = tail;
    }
    (!parts.is_empty()).then_some(parts)
}

fn total(parts: &[(&str, &'static str)]) -> Option<u64> {
    parts.iter().try_fold(0_u64, |total, (count, unit)| {
        let (_, factor) = UNITS.iter().find(|(name, _)| name == unit)?;
        total.checked_add(count.parse::<u64>().ok()?.checked_mul(*factor)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_have_units() {
        for (text, expected) in [
            ("30s", 30_000),
            ("1h30m", 5_400_000),
            ("250ms", 250),
            ("2d", 172_800_000),
            ("0s", 0),
        ] {
            assert_eq!(milliseconds(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_near_miss_is_an_error_with_the_right_spelling() {
        for (text, spelling) in [
            ("30", "30s or 30m"),
            ("5min", "5m"),
            ("1 hour 30 min", "1h30m"),
            ("3 s", "3s"),
            ("10M", "10m"),
        ] {
            let misfit = milliseconds(text).expect_err(text);
            assert_eq!(misfit.spelling().as_deref(), Some(spelling), "{text}");
            assert_eq!(misfit.to_string(), spelling, "{text}");
        }
    }

    #[test]
    fn a_spelling_is_offered_only_where_its_value_is_taken() {
        let misfit = milliseconds("5").expect_err("no unit");
        let at_least = |least: u64| {
            misfit.spelling_where(|text| milliseconds(text).is_ok_and(|time| time >= least))
        };
        assert_eq!(at_least(1_000).as_deref(), Some("5s or 5m"));
        assert_eq!(at_least(10_000), None);
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in [
            "0",
            "",
            "s",
            "m",
            "-1s",
            "1.5h",
            "10y",
            "1hé",
            "99999999999999999999d",
            "+5",
            "18446744073709551615",
        ] {
            let misfit = milliseconds(text).expect_err(text);
            assert_eq!(misfit.spelling(), None, "{text}");
            assert_eq!(misfit.to_string(), EXAMPLES);
        }
    }

    proptest! {
        #[test]
        fn an_offered_spelling_is_valid(text in "[+-]?[0-9]{0,20} ?[a-zA-Z]{0,4}") {
            if let Err(misfit) = milliseconds(&text) {
                let is_valid = |spelling: &str| milliseconds(spelling).is_ok();
                prop_assert_eq!(misfit.spelling(), misfit.spelling_where(is_valid));
            }
        }

        #[test]
        fn what_is_shown_is_read_back(time: u64) {
            prop_assert_eq!(milliseconds(&shown_milliseconds(time)), Ok(time));
        }
    }
}
