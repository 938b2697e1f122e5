//! Sizes: whole numbers of bytes followed by `k M G T P E`, `Ki Mi Gi Ti Pi Ei` or nothing.

use super::Misfit;
use super::misfit::number;

/// The grammar of sizes as a regular expression, for JSON Schemas.
pub const SIZE_PATTERN: &str = "^[0-9]+([KMGTPE]i|[kMGTPE])?$";

const EXAMPLES: &str = "512Mi, 16Gi or 5G";

/// The units, powers of 1024 first, largest first: the order of preference for output.
const UNITS: [(&str, u64); 12] = [
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

/// Parses a size into bytes: `512Mi`, `2G`, `1024`.
///
/// # Errors
/// Returns a [`Misfit`] if the text is not a valid size, with the correct spelling of a near miss:
/// `512M or 512Mi` for `512MB`.
pub fn bytes(text: &str) -> Result<u64, Misfit> {
    let (count, unit) = number(text);
    let factor = match unit {
        "" => Some(1),
        unit => factor(unit),
    };
    let count = count.parse::<u64>().ok();
    match (count, factor) {
        (Some(count), Some(factor)) => count
            .checked_mul(factor)
            .ok_or_else(|| Misfit::new(EXAMPLES)),
        _ => Err(near(text).map_or_else(
            || Misfit::new(EXAMPLES),
            |spellings| Misfit::near(spellings, EXAMPLES),
        )),
    }
}

/// Returns a size in the largest unit of 1024 that is exact. [`bytes`] parses it back.
pub fn shown_bytes(size: u64) -> String {
    let exact = UNITS[..6]
        .iter()
        .find(|(_, factor)| size != 0 && size.is_multiple_of(*factor));
    match exact {
        Some((unit, factor)) => format!("{}{unit}", size / factor),
        None => size.to_string(),
    }
}

fn factor(unit: &str) -> Option<u64> {
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    Some(*factor)
}

/// Returns the correct spellings of a size with blanks, a `B`, or letters in the wrong case.
/// Without the `i` it may mean either power.
fn near(text: &str) -> Option<Vec<String>> {
    let (count, unit) = number(text.trim());
    let unit = unit.trim_start();
    if count.parse::<u64>().is_err() || !unit.is_ascii() {
        return None;
    }
    let unit = unit.to_ascii_lowercase();
    let unit = unit
        .strip_suffix("bytes")
        .or_else(|| unit.strip_suffix('b'))
        .unwrap_or(&unit);
    if unit.is_empty() {
        return Some(vec![count.to_owned()]);
    }
    let alike = |name: &&str| name.to_ascii_lowercase() == unit;
    let name = UNITS.iter().map(|(name, _)| *name).find(alike)?;
    let mut spellings = vec![format!("{count}{name}")];
    if !name.ends_with('i') {
        spellings.push(format!("{count}{}i", name.to_ascii_uppercase()));
    }
    spellings.retain(|spelling| bytes(spelling).is_ok());
    (!spellings.is_empty()).then_some(spellings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_have_units_or_are_bytes() {
        for (text, expected) in [
            ("512Mi", 512 << 20),
            ("1024Mi", 1 << 30),
            ("5G", 5_000_000_000),
            ("10k", 10_000),
            ("10Ki", 10_240),
            ("2P", 2_000_000_000_000_000),
            ("3Ei", 3 << 60),
            ("1500", 1500),
            ("0", 0),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_near_miss_is_an_error_with_the_right_spelling() {
        for (text, spelling) in [
            ("512MB", "512M or 512Mi"),
            ("512mb", "512M or 512Mi"),
            ("10K", "10k or 10Ki"),
            ("2g", "2G or 2Gi"),
            ("1GiB", "1Gi"),
            ("1 Gi", "1Gi"),
            ("64mi", "64Mi"),
            ("100B", "100"),
            ("100 bytes", "100"),
        ] {
            let misfit = bytes(text).expect_err(text);
            assert_eq!(misfit.spelling().as_deref(), Some(spelling), "{text}");
            assert_eq!(misfit.to_string(), spelling, "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_sizes() {
        for text in ["", "K", "Mi", "1.5Gi", "-1", "16Ei", "1ki1", "much", "1é"] {
            let misfit = bytes(text).expect_err(text);
            assert_eq!(misfit.spelling(), None, "{text}");
            assert_eq!(misfit.to_string(), EXAMPLES);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(size: u64) {
            prop_assert_eq!(bytes(&shown_bytes(size)), Ok(size));
        }

        #[test]
        fn the_spelling_of_a_near_miss_is_a_size(text in "[0-9]{1,6} ?[kKmMgGtTpPeE]?i?[bB]?") {
            let misfit = bytes(&text).err();
            for spelling in misfit.and_then(|misfit| misfit.spelling()).unwrap_or_default().split(" or ") {
                prop_assert!(spelling.is_empty() || bytes(spelling).is_ok(), "{}", spelling);
            }
        }
    }
}
