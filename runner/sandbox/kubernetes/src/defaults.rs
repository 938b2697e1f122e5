//! The defaults that the API server sets when an object is created.

mod pod;
#[cfg(test)]
mod tests;
mod token;

use serde_json::{Value, json};

use crate::clock;
use crate::names::unique_id;

pub(crate) use token::mount as mount_token;

/// Sets a field that is absent.
fn or(object: &mut Value, key: &str, value: impl Into<Value>) {
    if object[key].is_null() {
        object[key] = value.into();
    }
}

/// Returns the entries of a list. An absent list is not created.
pub(crate) fn items<'a>(object: &'a mut Value, key: &str) -> impl Iterator<Item = &'a mut Value> {
    let list = object.get_mut(key).and_then(Value::as_array_mut);
    list.into_iter().flatten()
}

/// Sets the metadata that only the server writes.
pub(crate) fn identity(object: &mut Value) {
    let meta = &mut object["metadata"];
    meta["uid"] = unique_id().into();
    meta["creationTimestamp"] = clock::now().into();
    if let Some(map) = meta.as_object_mut() {
        for key in [
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
            "generation",
        ] {
            map.shift_remove(key);
        }
    }
}

/// Removes metadata that the server leaves out when it is empty.
pub(crate) fn without_empty(metadata: &mut Value) {
    if let Some(map) = metadata.as_object_mut() {
        for key in ["annotations", "finalizers", "labels", "ownerReferences"] {
            let value = map.get(key);
            let list = value.and_then(Value::as_array).map(Vec::is_empty);
            let object = value
                .and_then(Value::as_object)
                .map(serde_json::Map::is_empty);
            if list.or(object) == Some(true) {
                map.shift_remove(key);
            }
        }
    }
}

/// Sets a kind's defaults.
pub(crate) fn fill(plural: &str, object: &mut Value) {
    match plural {
        "pods" => pod::fill(object),
        "namespaces" => namespace(object),
        "secrets" => secret(object),
        "events" => event(object),
        "nodes" => {
            or(object, "spec", json!({}));
            or(object, "status", json!({}));
        }
        _ => {}
    }
}

fn namespace(object: &mut Value) {
    let name = object["metadata"]["name"].clone();
    or(&mut object["metadata"], "labels", json!({}));
    object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
    object["spec"] = json!({ "finalizers": ["kubernetes"] });
    if object["status"]["phase"].is_null() {
        object["status"] = json!({ "phase": "Active" });
    }
}

fn event(object: &mut Value) {
    or(object, "source", json!({}));
    for (key, empty) in [
        ("firstTimestamp", Value::Null),
        ("lastTimestamp", Value::Null),
        ("eventTime", Value::Null),
        ("reportingComponent", "".into()),
        ("reportingInstance", "".into()),
    ] {
        or(object, key, empty);
    }
}

fn secret(object: &mut Value) {
    or(object, "type", "Opaque");
    // `stringData` is write-only; it is returned as `data`.
    if let Some(text) = object
        .as_object_mut()
        .and_then(|m| m.shift_remove("stringData"))
        && let Some(map) = text.as_object()
    {
        or(object, "data", json!({}));
        for (key, value) in map {
            let bytes = value.as_str().unwrap_or_default();
            object["data"][key] = encode(bytes.as_bytes()).into();
        }
    }
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
