//! CPU time.

use std::fmt;
use std::str::FromStr;

use sidestep::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use sidestep::serde::de::Error as _;
use sidestep::serde::{Deserialize, Deserializer, Serialize, Serializer};
use sidestep::serde_json::Value;

/// CPU time as Kubernetes writes it: `2`, `0.5` or `500m`. A thousandth of a core is the least that
/// it knows (Kubernetes, "Resource units").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cpu {
    thousandths: u64,
}

impl FromStr for Cpu {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let thousandths = match text.strip_suffix('m') {
            Some(number) => digits(number),
            None => cores(text),
        };
        let wrong = || format!("expected CPU time such as 2, 0.5 or 500m, found {text:?}");
        Ok(Self {
            thousandths: thousandths.ok_or_else(wrong)?,
        })
    }
}

/// Whole cores, and at most three places behind the point.
fn cores(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    if !(1..=3).contains(&part.len()) {
        return None;
    }
    let part = digits(&format!("{part:0<3}"))?;
    digits(whole)?.checked_mul(1000)?.checked_add(part)
}

fn digits(text: &str) -> Option<u64> {
    let only = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    only.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.thousandths.is_multiple_of(1000) {
            write!(f, "{}", self.thousandths / 1000)
        } else {
            write!(f, "{}m", self.thousandths)
        }
    }
}

impl Serialize for Cpu {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cpu {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            other => other.to_string(),
        };
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Cpu {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Cpu".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "number"],
            "pattern": r"^[0-9]+(m|\.[0-9]{1,3})?$",
            "minimum": 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_and_written_as_kubernetes_does() {
        for (text, written) in [
            ("2", "2"),
            ("0.5", "500m"),
            ("500m", "500m"),
            ("1.25", "1250m"),
            ("1000m", "1"),
            ("0", "0"),
        ] {
            let cpu: Cpu = text.parse().expect(text);
            assert_eq!(cpu.to_string(), written, "{text}");
        }
        for text in ["", "m", "1.2345", "-1", "1e3", ".5", "1.", "500 m", "2Gi"] {
            assert!(text.parse::<Cpu>().is_err(), "{text}");
        }
    }
}
