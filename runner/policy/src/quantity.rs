use std::fmt;

use serde_json::Value;

/// An amount as Kubernetes writes it (`16Gi`, `500m`, `2`), exact to a thousandth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quantity {
    text: String,
    thousandths: u128,
}

/// Kubernetes' suffixes (apimachinery `resource.Quantity`), in thousandths of the unit.
const SUFFIXES: [(&str, u128); 14] = [
    ("m", 1),
    ("k", 1_000_000),
    ("M", 1_000_000_000),
    ("G", 1_000_000_000_000),
    ("T", 1_000_000_000_000_000),
    ("P", 1_000_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000_000),
    ("Ki", 1000 << 10),
    ("Mi", 1000 << 20),
    ("Gi", 1000 << 30),
    ("Ti", 1000 << 40),
    ("Pi", 1000 << 50),
    ("Ei", 1000 << 60),
    ("", 1000),
];

impl Quantity {
    /// Reads an amount; none if it is not one, or is negative.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, suffix) = text.split_at(digits);
        let factor = SUFFIXES.iter().find(|(known, _)| *known == suffix)?.1;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || fraction.len() > 9 || whole.len() > 15 || fraction.contains('.') {
            return None;
        }
        let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
        let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
        // Rounded up, as Kubernetes does: a ceiling is never passed by a fraction.
        let thousandths = digits.checked_mul(factor)?.div_ceil(scale);
        Some(Self {
            text: text.to_owned(),
            thousandths,
        })
    }

    /// Reads a JSON text or number.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.thousandths.partial_cmp(&other.thousandths)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_compare_by_size() {
        let q = |text| Quantity::parse(text).expect(text);
        assert!(q("512Mi") < q("1Gi"));
        assert!(q("1G") < q("1Gi"));
        assert!(q("1500m") > q("1"));
        assert!(q("1.5") >= q("1500m"));
        assert!(q("0.0001") > q("0"));
        for text in [
            "",
            "Gi",
            "-1",
            "1.2.3",
            "1gi",
            "1e3",
            "9999999999999999",
            "1 Gi",
        ] {
            assert!(Quantity::parse(text).is_none(), "{text}");
        }
    }
}
