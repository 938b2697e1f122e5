//! Enums in requests: clients send names or numbers, and both are accepted.

use serde_json::Value;

/// Returns the name of an enum's value, from its name or number; `names[n]` is the name of number
/// n.
pub(crate) fn name<'a>(value: &'a Value, names: &[&'a str]) -> Option<&'a str> {
    match value {
        Value::String(text) => match text.parse::<usize>() {
            Ok(number) => names.get(number).copied(),
            Err(_) => names.iter().find(|n| *n == text).copied(),
        },
        Value::Number(number) => number
            .as_u64()
            .and_then(|n| names.get(usize::try_from(n).ok()?))
            .copied(),
        _ => None,
    }
}

/// GKE's `WorkloadMetadataConfig.Mode`.
pub(crate) const METADATA_MODE: [&str; 3] = ["MODE_UNSPECIFIED", "GCE_METADATA", "GKE_METADATA"];

/// Artifact Registry's `Repository.Format`.
pub(crate) const FORMAT: [&str; 12] = [
    "FORMAT_UNSPECIFIED",
    "DOCKER",
    "MAVEN",
    "NPM",
    "",
    "APT",
    "YUM",
    "GOOGET",
    "PYTHON",
    "KFP",
    "GO",
    "GENERIC",
];
