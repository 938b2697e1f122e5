//! Kubernetes quantities.

use std::cmp::Ordering;
use std::fmt;

/// A Kubernetes quantity (`16Gi`, `500m`, `2`, `1e3`), exact to a thousandth
/// (<https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>).
///
/// Unlike a size ([`bytes`](super::bytes)), it may have a fraction, a sign, the suffixes `n`, `u`
/// and `m`, and an exponent instead of a suffix. The API server rounds up to its precision, away
/// from zero. This type does the same, so that a fraction never exceeds a ceiling.
#[derive(Debug, Clone)]
pub struct Quantity {
    text: String,
    thousandths: i128,
}

/// The value of each suffix in thousandths of the unit: a factor and a divisor.
const SUFFIXES: [(&str, i128, i128); 16] = [
    ("n", 1, 1_000_000),
    ("u", 1, 1000),
    ("m", 1, 1),
    ("", 1000, 1),
    ("k", 1_000_000, 1),
    ("M", 1_000_000_000, 1),
    ("G", 1_000_000_000_000, 1),
    ("T", 1_000_000_000_000_000, 1),
    ("P", 1_000_000_000_000_000_000, 1),
    ("E", 1_000_000_000_000_000_000_000, 1),
    ("Ki", 1000 << 10, 1),
    ("Mi", 1000 << 20, 1),
    ("Gi", 1000 << 30, 1),
    ("Ti", 1000 << 40, 1),
    ("Pi", 1000 << 50, 1),
    ("Ei", 1000 << 60, 1),
];

/// The largest exponent: with more, no number of one digit fits the API server's 2^63.
const MAX_EXPONENT: u32 = 18;

impl Quantity {
    /// Parses a quantity. Returns `None` if the text is not a quantity, or has more than 15 digits
    /// before the point or nine after it.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let end = unsigned
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = whole.len() + fraction.len();
        if digits == 0 || whole.len() > 15 || fraction.len() > 9 || fraction.contains('.') {
            return None;
        }
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let (factor, divisor) = scale(suffix)?;
        let places = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        let exact = digits.checked_mul(factor)?;
        let divisor = divisor * places;
        let rounded = exact / divisor + i128::from(exact % divisor != 0);
        Some(Self {
            text: text.to_owned(),
            thousandths: if negative { -rounded } else { rounded },
        })
    }

    /// Returns the value in thousandths of the unit, so that `100m` of a CPU is a whole number.
    pub fn thousandths(&self) -> i128 {
        self.thousandths
    }

    /// Returns whether the value is below zero.
    pub fn is_negative(&self) -> bool {
        self.thousandths < 0
    }
}

/// Returns the value of a suffix or an exponent, in thousandths: a factor and a divisor.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    if let Some((_, factor, divisor)) = SUFFIXES.iter().find(|(known, ..)| *known == suffix) {
        return Some((*factor, *divisor));
    }
    let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    let power = exponent.unsigned_abs();
    if power > MAX_EXPONENT {
        return None;
    }
    let power = 10_i128.pow(power);
    Some(if exponent < 0 {
        (1000, power)
    } else {
        (1000 * power, 1)
    })
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.thousandths == other.thousandths
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.thousandths.cmp(&other.thousandths)
    }
}

/// Writes the quantity as it was parsed.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{bytes, shown_bytes};
    use proptest::prelude::*;

    fn thousandths(text: &str) -> Option<i128> {
        Quantity::parse(text).map(|quantity| quantity.thousandths())
    }

    #[test]
    fn every_suffix_and_exponent_is_read() {
        for (text, expected) in [
            ("500m", 500),
            ("2", 2000),
            ("+2", 2000),
            ("-2", -2000),
            ("1.5", 1500),
            ("5.", 5000),
            ("1Ki", 1_024_000),
            ("1e3", 1_000_000),
            (".5", 500),
            ("2.", 2_000),
            ("1E3", 1_000_000),
            ("1e-3", 1),
            ("1500u", 2),
            ("1n", 1),
            ("0.0001", 1),
            ("-1n", -1),
            ("8Ei", 8000 << 60),
            ("100E", 100_000_000_000_000_000_000_000),
        ] {
            assert_eq!(thousandths(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn amounts_compare_by_size() {
        let q = |text| Quantity::parse(text).expect(text);
        assert!(q("512Mi") < q("1Gi"));
        assert!(q("1G") < q("1Gi"));
        assert!(q("1500m") > q("1"));
        assert!(q("1.5") == q("1500m"));
        assert!(q("0.0001") > q("0"));
        assert!(q("-1").is_negative());
    }

    #[test]
    fn other_texts_are_no_quantities() {
        for text in [
            "",
            "Gi",
            "-",
            "--1",
            "1.2.3",
            ".",
            "1gi",
            "1X",
            "1e",
            "1e99",
            "1e3Gi",
            "9999999999999999",
            "1 Gi",
            "10MB",
            "1é",
        ] {
            assert!(Quantity::parse(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_size_is_a_quantity(size in 0_u64..1_000_000_000_000_000) {
            let text = shown_bytes(size);
            prop_assert_eq!(bytes(&text).ok().map(|size| i128::from(size) * 1000), thousandths(&text));
        }
    }
}
