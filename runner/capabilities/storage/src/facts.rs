use std::collections::BTreeMap;

use base64::Engine as _;
use jiff::Timestamp;
use serde_json::Value;

/// Facts about an object (Cloud Storage JSON API v1, Objects resource).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The bucket's name.
    pub bucket: String,
    /// The object's name.
    pub name: String,
    /// The generation, which identifies the content.
    pub generation: u64,
    /// The metageneration, which identifies the metadata of that content.
    pub metageneration: u64,
    /// The size in bytes.
    pub size: u64,
    /// The CRC32C (Castagnoli) of the bytes.
    pub crc32c: Option<u32>,
    /// The media type.
    pub content_type: Option<String>,
    /// The content encoding.
    pub content_encoding: Option<String>,
    /// The storage class.
    pub storage_class: Option<String>,
    /// The time when this generation was created.
    pub created: Option<Timestamp>,
    /// The custom time, set by the object's owner.
    pub custom_time: Option<Timestamp>,
    /// The custom metadata.
    pub metadata: BTreeMap<String, String>,
}

/// Facts about a bucket (Cloud Storage JSON API v1, Buckets resource).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// The bucket's name.
    pub name: String,
    /// The number of the bucket's project.
    pub project_number: u64,
    /// The location, such as `EU`.
    pub location: String,
    /// The default storage class of objects.
    pub storage_class: String,
    /// Whether only IAM controls access (uniform bucket-level access).
    pub uniform_access: bool,
    /// `enforced` or `inherited`.
    pub public_access_prevention: Option<String>,
    /// Whether old generations are kept.
    pub versioning: bool,
    /// The default Cloud KMS key.
    pub kms_key: Option<String>,
    /// The lifecycle rules, a JSON array.
    pub lifecycle: Value,
}

impl Object {
    /// Reads the API's JSON; fields that are absent, as with an emulator, have empty values.
    pub(super) fn of_json(json: &Value) -> Self {
        let crc32c = text(json, "crc32c")
            .and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok())
            .and_then(|bytes| Some(u32::from_be_bytes(bytes.try_into().ok()?)));
        let metadata = json["metadata"].as_object().into_iter().flatten();
        Self {
            bucket: text(json, "bucket").unwrap_or_default(),
            name: text(json, "name").unwrap_or_default(),
            generation: number(json, "generation"),
            metageneration: number(json, "metageneration"),
            size: number(json, "size"),
            crc32c,
            content_type: text(json, "contentType"),
            content_encoding: text(json, "contentEncoding"),
            storage_class: text(json, "storageClass"),
            created: time(json, "timeCreated"),
            custom_time: time(json, "customTime"),
            metadata: metadata
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect(),
        }
    }
}

impl Bucket {
    /// Reads the API's JSON; fields that are absent, as with an emulator, have empty values.
    pub(super) fn of_json(json: &Value) -> Self {
        let access = &json["iamConfiguration"];
        Self {
            name: text(json, "name").unwrap_or_default(),
            project_number: number(json, "projectNumber"),
            location: text(json, "location").unwrap_or_default(),
            storage_class: text(json, "storageClass").unwrap_or_default(),
            uniform_access: access["uniformBucketLevelAccess"]["enabled"] == true,
            public_access_prevention: text(access, "publicAccessPrevention"),
            versioning: json["versioning"]["enabled"] == true,
            kms_key: text(&json["encryption"], "defaultKmsKeyName"),
            lifecycle: json["lifecycle"]["rule"].clone(),
        }
    }
}

fn text(json: &Value, key: &str) -> Option<String> {
    json[key].as_str().map(str::to_owned)
}

/// The API writes 64-bit numbers as text; emulators write some as numbers.
fn number(json: &Value, key: &str) -> u64 {
    let value = &json[key];
    value
        .as_u64()
        .or_else(|| value.as_str()?.parse().ok())
        .unwrap_or(0)
}

fn time(json: &Value, key: &str) -> Option<Timestamp> {
    json[key].as_str()?.parse().ok()
}
