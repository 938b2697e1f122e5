use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The longest id. Names of outside objects are made from it and must stay below 63 characters.
const MAX_LENGTH: usize = 48;

/// Crockford's base 32, in lower case: sorts like the numbers it writes, and may stand in a
/// Kubernetes name.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// 2025-01-01T00:00:00Z in milliseconds. Forty bits from here reach to 2059.
const EPOCH_MS: i64 = 1_735_689_600_000;

/// A run's id: 1 to 48 of `a-z 0-9 -`, first and last no `-`, so that it may stand in names and
/// labels of outside objects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

/// A text that is no run id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is no run id: 1 to {MAX_LENGTH} of a-z, 0-9 and -, beginning and ending with a letter or a digit"
)]
pub struct RunIdError(String);

impl RunId {
    /// The id that the CI system names the run with, if one does: `GITHUB_RUN_ID`,
    /// `CI_PIPELINE_ID` (GitLab), `BUILDKITE_BUILD_ID`, `TEKTON_PIPELINE_RUN`, with a hash of the
    /// pipeline's name and inputs, since one CI run may run several pipelines.
    pub fn from_ci(
        env: impl Fn(&str) -> Option<String>,
        pipeline: &str,
        inputs: &serde_json::Value,
    ) -> Option<Self> {
        let id = [
            "GITHUB_RUN_ID",
            "CI_PIPELINE_ID",
            "BUILDKITE_BUILD_ID",
            "TEKTON_PIPELINE_RUN",
        ]
        .into_iter()
        .find_map(|name| env(name).filter(|value| !value.trim().is_empty()))?;
        let mut hasher = Sha256::new();
        for part in [id.as_str(), pipeline, &canonical(inputs)] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        let hash: String = hasher.finalize()[..4]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        // The hash covers the whole id, so what is cut or replaced here stays distinct.
        let kept: String = id
            .trim()
            .chars()
            .map(|c| match c.to_ascii_lowercase() {
                c if c.is_ascii_alphanumeric() => c,
                _ => '-',
            })
            .take(MAX_LENGTH - 1 - hash.len())
            .collect();
        let kept = kept.trim_matches('-');
        Some(Self(if kept.is_empty() {
            hash
        } else {
            format!("{kept}-{hash}")
        }))
    }

    /// A new id: the time in milliseconds, then ten random bits; ids sort by time.
    pub fn new_at(now: Timestamp) -> Self {
        let mut random = [0u8; 2];
        // Without randomness ids of one millisecond collide, which `Runs::create` notices.
        let _ = getrandom::fill(&mut random);
        let since = u64::try_from(now.as_millisecond() - EPOCH_MS).unwrap_or(0);
        let bits = (since << 10) | u64::from(u16::from_be_bytes(random) & 0x3ff);
        let id = (0..10u32)
            .rev()
            .map(|digit| char::from(ALPHABET[(bits >> (digit * 5)) as usize & 31]))
            .collect();
        Self(id)
    }

    /// The id under which the same CI run may run once more: `ID-2` for the second time.
    #[must_use]
    pub fn again(&self, time: u32) -> Self {
        let suffix = format!("-{time}");
        let kept = &self.0[..self.0.len().min(MAX_LENGTH - suffix.len())];
        Self(format!("{}{suffix}", kept.trim_end_matches('-')))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RunId {
    type Err = RunIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let good = (1..=MAX_LENGTH).contains(&text.len())
            && text.bytes().all(inner)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(RunIdError(text.chars().take(80).collect()))
        }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The value as JSON with sorted keys, so that the order on the command line makes no difference.
fn canonical(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let inner: Vec<_> = entries
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::String(key.clone()), canonical(value)))
                .collect();
            format!("{{{}}}", inner.join(","))
        }
        Value::Array(items) => {
            let inner: Vec<_> = items.iter().map(canonical).collect();
            format!("[{}]", inner.join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ci(name: &'static str, value: &str, inputs: &serde_json::Value) -> Option<RunId> {
        let value = value.to_owned();
        RunId::from_ci(
            move |asked| (asked == name).then(|| value.clone()),
            "image",
            inputs,
        )
    }

    #[test]
    fn a_retried_ci_job_gets_its_id_again_and_another_pipeline_does_not() {
        let one = ci("GITHUB_RUN_ID", "1234", &json!({"a": 1, "b": [2]})).expect("set");
        assert_eq!(
            Some(&one),
            ci("GITHUB_RUN_ID", "1234", &json!({"b": [2], "a": 1})).as_ref()
        );
        assert_ne!(
            Some(&one),
            ci("GITHUB_RUN_ID", "1234", &json!({"a": 2, "b": [2]})).as_ref()
        );
        assert!(one.as_str().starts_with("1234-"), "{one}");
        assert_eq!(ci("NO_CI", "1234", &json!({})), None);
        assert_eq!(ci("CI_PIPELINE_ID", " ", &json!({})), None);
    }

    #[test]
    fn whatever_the_ci_says_the_id_is_one() {
        for text in [
            "../../etc",
            "A".repeat(300).as_str(),
            "--",
            "Ünï/cødé",
            "x y",
        ] {
            let id = ci("TEKTON_PIPELINE_RUN", text, &json!({})).expect("set");
            assert_eq!(id.as_str().parse::<RunId>(), Ok(id.clone()), "{text}");
            let again = id.again(12);
            assert_eq!(again.as_str().parse::<RunId>(), Ok(again.clone()), "{text}");
        }
    }

    #[test]
    fn new_ids_sort_by_time() {
        let at = |ms: i64| RunId::new_at(Timestamp::from_millisecond(ms).expect("in range"));
        let times = [EPOCH_MS, EPOCH_MS + 1, 1_795_000_000_000, 2_500_000_000_000];
        let ids: Vec<_> = times.into_iter().map(at).collect();
        assert!(ids.is_sorted(), "{ids:?}");
        assert!(ids.iter().all(|id| id.as_str().parse::<RunId>().is_ok()));
    }

    #[test]
    fn a_path_is_no_run_id() {
        for text in ["", "..", "a/b", "-a", "a-", "A", &"a".repeat(49)] {
            assert!(text.parse::<RunId>().is_err(), "{text}");
        }
    }
}
