//! Buckets: the containers of objects, with or without object ACLs.

use crate::error::ApiError;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A bucket of a scenario's initial state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seed {
    /// The bucket's name, unique in the sandbox.
    pub name: String,
    /// The id of the bucket's project.
    pub project: String,
    /// The bucket's location, such as `EU` or `EUROPE-WEST3`.
    pub location: String,
    /// Whether uniform bucket-level access is on. Without it, direct Workload Identity principals
    /// have no access.
    pub uniform_access: bool,
}

/// Fields of a bucket that are stored as they were written, under the JSON API's names.
const KEPT: [&str; 10] = [
    "autoclass",
    "cors",
    "defaultEventBasedHold",
    "encryption",
    "labels",
    "lifecycle",
    "retentionPolicy",
    "softDeletePolicy",
    "storageClass",
    "versioning",
];

/// A bucket in its stored form.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) project: String,
    pub(crate) location: String,
    pub(crate) uniform: bool,
    pub(crate) public_access_prevention: String,
    pub(crate) metageneration: i64,
    pub(crate) created: String,
    pub(crate) updated: String,
    #[serde(default)]
    pub(crate) config: Map<String, Value>,
}

impl Bucket {
    pub(crate) fn new(seed: &Seed, now: String) -> Result<Self, ApiError> {
        check_name(&seed.name)?;
        Ok(Self {
            name: seed.name.clone(),
            project: seed.project.clone(),
            location: seed.location.to_ascii_uppercase(),
            uniform: seed.uniform_access,
            public_access_prevention: "inherited".to_owned(),
            metageneration: 1,
            updated: now.clone(),
            created: now,
            config: Map::new(),
        })
    }

    /// Applies the resource of an insert or a PATCH; a null clears the field.
    pub(crate) fn patch(&mut self, patch: &Value) -> Result<(), ApiError> {
        let Value::Object(patch) = patch else {
            return Err(ApiError::invalid(
                "The bucket resource is not a JSON object.",
            ));
        };
        for (key, value) in patch {
            match (key.as_str(), value) {
                ("iamConfiguration", value) => self.configure(value)?,
                ("labels", Value::Object(labels)) => self.label(labels),
                (key, Value::Null) => drop(self.config.shift_remove(key)),
                (key, value) if KEPT.contains(&key) => {
                    self.config.insert(key.to_owned(), value.clone());
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn configure(&mut self, value: &Value) -> Result<(), ApiError> {
        match &value["uniformBucketLevelAccess"]["enabled"] {
            Value::Null => {}
            Value::Bool(enabled) => self.uniform = *enabled,
            other => {
                return Err(ApiError::invalid(format!(
                    "Invalid value for: iamConfiguration.uniformBucketLevelAccess.enabled: {other}"
                )));
            }
        }
        match &value["publicAccessPrevention"] {
            Value::Null => Ok(()),
            Value::String(text) if text == "enforced" || text == "inherited" => {
                self.public_access_prevention.clone_from(text);
                Ok(())
            }
            other => Err(ApiError::invalid(format!(
                "Invalid value for: iamConfiguration.publicAccessPrevention: {other}"
            ))),
        }
    }

    fn label(&mut self, labels: &Map<String, Value>) {
        let kept = self.config.entry("labels").or_insert_with(|| json!({}));
        for (key, value) in labels {
            if let (Value::Object(kept), Value::Null) = (&mut *kept, value) {
                kept.shift_remove(key);
            } else {
                kept[key] = value.clone();
            }
        }
    }

    pub(crate) fn etag(&self) -> String {
        BASE64_STANDARD.encode(self.metageneration.to_be_bytes())
    }

    pub(crate) fn location_type(&self) -> &'static str {
        match self.location.as_str() {
            "EU" | "US" | "ASIA" => "multi-region",
            "NAM4" | "EUR4" | "EUR5" | "EUR7" | "EUR8" | "ASIA1" => "dual-region",
            _ => "region",
        }
    }

    /// Returns the JSON API's resource; `base` is the caller's address for this server.
    pub(crate) fn json(&self, base: &str) -> Value {
        let mut value = json!({
            "kind": "storage#bucket",
            "id": self.name,
            "selfLink": format!("{base}/storage/v1/b/{}", self.name),
            "name": self.name,
            "location": self.location,
            "locationType": self.location_type(),
            "storageClass": "STANDARD",
            "etag": self.etag(),
            "metageneration": self.metageneration.to_string(),
            "timeCreated": self.created,
            "updated": self.updated,
            "iamConfiguration": {
                "bucketPolicyOnly": { "enabled": self.uniform },
                "uniformBucketLevelAccess": { "enabled": self.uniform },
                "publicAccessPrevention": self.public_access_prevention,
            },
        });
        for (key, kept) in &self.config {
            value[key] = kept.clone();
        }
        value
    }
}

/// Checks a bucket's name (<https://cloud.google.com/storage/docs/buckets#naming>). The check also
/// keeps the bucket's folder inside the state directory.
fn check_name(name: &str) -> Result<(), ApiError> {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    let good = (3..=222).contains(&bytes.len())
        && edge(bytes.first())
        && edge(bytes.last())
        && !name.contains("..")
        && name.split('.').all(|part| part.len() <= 63)
        && bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(b));
    if good {
        return Ok(());
    }
    Err(ApiError::invalid(format!("Invalid bucket name: '{name}'")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_googles_rules() {
        for good in ["abc", "a-b_c.d", "0ab", "demo-build-context"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "ab",
            "../x",
            "a..b",
            "Abc",
            "-ab",
            "ab/cd",
            &"a".repeat(64),
        ] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
