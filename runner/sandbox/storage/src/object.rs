//! Objects' metadata, in the stored form and in that of the JSON API.

use crate::{content::Digests, error::ApiError};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The fields that a writer may set, under the JSON API's names.
const SETTABLE: [&str; 10] = [
    "cacheControl",
    "contentDisposition",
    "contentEncoding",
    "contentLanguage",
    "contentType",
    "customTime",
    "eventBasedHold",
    "kmsKeyName",
    "storageClass",
    "temporaryHold",
];

/// A live object. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) generation: i64,
    pub(crate) metageneration: i64,
    /// The name of the content file.
    pub(crate) content: String,
    pub(crate) size: u64,
    pub(crate) crc32c: u32,
    /// Base64, as in `md5Hash`; a composed object has none.
    pub(crate) md5: Option<String>,
    pub(crate) component_count: Option<u32>,
    pub(crate) created: String,
    pub(crate) updated: String,
    /// The fields from the writer, under the JSON API's names.
    #[serde(default)]
    pub(crate) fields: Map<String, Value>,
    /// User metadata.
    #[serde(default)]
    pub(crate) metadata: IndexMap<String, String>,
}

/// A writer's description of an object: part of an insert, a compose or a copy.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Described {
    pub(crate) fields: Map<String, Value>,
    pub(crate) metadata: IndexMap<String, String>,
    /// Expected hashes of the bytes, base64 as in requests.
    pub(crate) crc32c: Option<String>,
    pub(crate) md5: Option<String>,
    pub(crate) name: Option<String>,
}

impl Described {
    /// Reads an object resource. Fields that only the server sets are ignored,
    /// as Cloud Storage does.
    pub(crate) fn read(resource: &Value) -> Result<Self, ApiError> {
        let mut described = Self::default();
        let Value::Object(resource) = resource else {
            return Err(ApiError::invalid(
                "The object resource is not a JSON object.",
            ));
        };
        for (key, value) in resource {
            match (key.as_str(), value) {
                (_, Value::Null) => {}
                ("metadata", value) => {
                    described.metadata = serde_json::from_value(value.clone()).map_err(|_| {
                        ApiError::invalid("Invalid value for: metadata: not a map of strings.")
                    })?;
                }
                ("crc32c", Value::String(text)) => described.crc32c = Some(text.clone()),
                ("md5Hash", Value::String(text)) => described.md5 = Some(text.clone()),
                ("name", Value::String(text)) => described.name = Some(text.clone()),
                (key, value) if SETTABLE.contains(&key) => {
                    check(key, value)?;
                    described.fields.insert(key.to_owned(), value.clone());
                }
                _ => {}
            }
        }
        Ok(described)
    }

    /// Rejects bytes whose hashes differ from those that the writer sent.
    pub(crate) fn verify(&self, digests: &Digests) -> Result<(), ApiError> {
        let is = BASE64_STANDARD.encode(digests.crc32c.to_be_bytes());
        if let Some(said) = self.crc32c.as_ref().filter(|said| **said != is) {
            return Err(ApiError::invalid(format!(
                "Provided CRC32C \"{said}\" doesn't match calculated CRC32C \"{is}\"."
            )));
        }
        let is = BASE64_STANDARD.encode(digests.md5);
        if let Some(said) = self.md5.as_ref().filter(|said| **said != is) {
            return Err(ApiError::invalid(format!(
                "Provided MD5 hash \"{said}\" doesn't match calculated MD5 hash \"{is}\"."
            )));
        }
        Ok(())
    }

    /// Adds the expected hashes of `x-goog-hash: crc32c=…,md5=…` header values.
    pub(crate) fn expect_hashes<'a>(&mut self, values: impl Iterator<Item = &'a str>) {
        for part in values.flat_map(|value| value.split(',')) {
            match part.trim().split_once('=') {
                Some(("crc32c", hash)) => self.crc32c = Some(hash.to_owned()),
                Some(("md5", hash)) => self.md5 = Some(hash.to_owned()),
                _ => {}
            }
        }
    }
}

fn check(key: &str, value: &Value) -> Result<(), ApiError> {
    let good = match key {
        "temporaryHold" | "eventBasedHold" => value.is_boolean(),
        "customTime" => value
            .as_str()
            .is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
        _ => value.is_string(),
    };
    if good {
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "Invalid value for: {key}: {value}"
    )))
}

impl Object {
    /// Returns the entity tag (RFC 9110) of this generation and metageneration.
    pub(crate) fn etag(&self) -> String {
        let mut bytes = self.generation.to_be_bytes().to_vec();
        bytes.extend(self.metageneration.to_be_bytes());
        BASE64_STANDARD.encode(bytes)
    }

    pub(crate) fn crc32c_text(&self) -> String {
        BASE64_STANDARD.encode(self.crc32c.to_be_bytes())
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }

    pub(crate) fn storage_class(&self) -> &str {
        self.field("storageClass").unwrap_or("STANDARD")
    }

    /// Applies a PATCH (a null clears the field), without changing generation numbers.
    pub(crate) fn patch(&mut self, patch: &Value) -> Result<(), ApiError> {
        let Value::Object(patch) = patch else {
            return Err(ApiError::invalid(
                "The object resource is not a JSON object.",
            ));
        };
        for (key, value) in patch {
            match (key.as_str(), value) {
                ("metadata", Value::Null) => self.metadata.clear(),
                ("metadata", Value::Object(entries)) => {
                    for (key, value) in entries {
                        match value {
                            Value::Null => drop(self.metadata.shift_remove(key)),
                            Value::String(text) => {
                                drop(self.metadata.insert(key.clone(), text.clone()));
                            }
                            _ => return Err(ApiError::invalid("Invalid value for: metadata.")),
                        }
                    }
                }
                ("metadata", _) => return Err(ApiError::invalid("Invalid value for: metadata.")),
                ("customTime", Value::Null) if self.fields.contains_key("customTime") => {
                    return Err(ApiError::invalid("Custom time cannot be removed once set."));
                }
                (key, Value::Null) => drop(self.fields.shift_remove(key)),
                (key, value) if SETTABLE.contains(&key) => {
                    check(key, value)?;
                    self.fields.insert(key.to_owned(), value.clone());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns the JSON API's resource; `base` is the caller's address for this server.
    pub(crate) fn json(&self, base: &str, bucket: &str) -> Value {
        let path = crate::address::escaped(&self.name);
        let (generation, name) = (self.generation, &self.name);
        let mut value = json!({
            "kind": "storage#object",
            "id": format!("{bucket}/{name}/{generation}"),
            "selfLink": format!("{base}/storage/v1/b/{bucket}/o/{path}"),
            "mediaLink": format!(
                "{base}/download/storage/v1/b/{bucket}/o/{path}?generation={generation}&alt=media"
            ),
            "name": name,
            "bucket": bucket,
            "generation": generation.to_string(),
            "metageneration": self.metageneration.to_string(),
            "storageClass": self.storage_class(),
            "size": self.size.to_string(),
            "crc32c": self.crc32c_text(),
            "etag": self.etag(),
            "timeCreated": self.created,
            "updated": self.updated,
            "timeStorageClassUpdated": self.created,
            "timeFinalized": self.created,
        });
        if let Some(md5) = &self.md5 {
            value["md5Hash"] = md5.as_str().into();
        }
        if let Some(count) = self.component_count {
            value["componentCount"] = count.into();
        }
        for (key, field) in &self.fields {
            value[key] = field.clone();
        }
        if !self.metadata.is_empty() {
            value["metadata"] = json!(self.metadata);
        }
        value
    }
}
