//! Fuzz targets for the readers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::shape::{is_email, is_key_id, is_project, is_registry};
use crate::{Key, find, manifests};

/// A target: its name, the reader, and the seed inputs.
pub type Target = (&'static str, fn(&[u8]), fn() -> Vec<Vec<u8>>);

/// The targets of this crate.
pub const TARGETS: [Target; 2] = [
    ("keys-bytes", bytes, seeds),
    ("keys-manifests", rendered, manifest_seeds),
];

/// Looks for keys in bytes: whatever they are, no fact has another shape than its own.
fn bytes(bytes: &[u8]) {
    let found = find(bytes);
    assert!(found.keys.len() <= crate::search::MOST_KEYS, "bounded");
    found.keys.iter().for_each(shown);
}

/// Reads manifests: no object that is shown holds a secret text of a key.
fn rendered(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let all = manifests(text);
    for manifest in &all.objects {
        manifest.keys.iter().for_each(|entry| shown(&entry.key));
        if manifest.object["kind"] == "Secret" {
            let hidden = ["data", "stringData"];
            assert!(
                hidden
                    .iter()
                    .all(|name| manifest.object.get(name).is_none())
            );
        }
        all.secrets
            .iter()
            .for_each(|secret| assert!(!holds(&manifest.object, secret), "a secret is shown"));
    }
}

fn holds(value: &Value, secret: &str) -> bool {
    match value {
        Value::String(text) => text.contains(secret),
        Value::Array(items) => items.iter().any(|item| holds(item, secret)),
        Value::Object(fields) => fields.values().any(|field| holds(field, secret)),
        _ => false,
    }
}

fn shown(key: &Key) {
    let fits = |fact: &Option<String>, fits: fn(&str) -> bool| fact.as_deref().is_none_or(fits);
    assert!(fits(&key.email, is_email) && fits(&key.key_id, is_key_id));
    assert!(fits(&key.project, is_project) && fits(&key.registry, is_registry));
}

/// Returns a key file in the form of Google's, with a private key that is an example.
pub(crate) fn key_file() -> String {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";
    serde_json::json!({
        "type": "service_account",
        "project_id": "demo",
        "private_key_id": "0123456789abcdef0123456789abcdef01234567",
        "private_key": format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", body.repeat(8)),
        "client_email": "app@demo.iam.gserviceaccount.com",
        "client_id": "100000000000000000000",
        "token_uri": "https://oauth2.googleapis.com/token",
    })
    .to_string()
}

fn seeds() -> Vec<Vec<u8>> {
    let key = key_file();
    let auth = STANDARD.encode(format!("_json_key:{key}"));
    let quoted = serde_json::to_string(&key).unwrap_or_default();
    vec![
        STANDARD.encode(STANDARD.encode(&key)).into_bytes(),
        format!("{{\"auths\":{{\"gcr.io\":{{\"auth\":\"{auth}\"}}}}}}").into_bytes(),
        format!(
            "A=1\nGOOGLE_CREDENTIALS={quoted}\nB={}\n",
            STANDARD.encode(&key)
        )
        .into_bytes(),
        br#"{"type":"external_account","audience":"//iam.googleapis.com/projects/1/x"}"#.to_vec(),
        vec![0x30, 0x82, 0x09, 0x00, 0x02, 0x01, 0x03, 0x30, 0x82],
        key.into_bytes(),
    ]
}

fn manifest_seeds() -> Vec<Vec<u8>> {
    let key = key_file();
    let data = STANDARD.encode(&key);
    let quoted = serde_json::to_string(&key).unwrap_or_default();
    vec![
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\ndata:\n  key.json: {data}\n---\nkind: ConfigMap\nmetadata: {{name: b}}\ndata:\n  key.json: {quoted}\n").into_bytes(),
        format!("# Source: a\n---\napiVersion: v1\nkind: List\nitems:\n- kind: Secret\n  stringData: {{k: {quoted}}}\n- kind: Pod\n").into_bytes(),
    ]
}

#[cfg(test)]
mod tests {
    #[test]
    fn strangers_bytes_are_read_without_harm() {
        super::TARGETS
            .into_iter()
            .for_each(sidestep_mutations::check);
    }
}
