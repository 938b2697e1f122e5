//! Checks that readers will accept a manifest.

use serde_json::{Map, Value};
use sidestep_contract::Capability;

use crate::Error;

/// The guest's export that returns the manifest's position in its memory.
pub const MANIFEST_EXPORT: &str = "sidestep:manifest";

/// The component's custom section that holds the manifest.
pub const MANIFEST_SECTION: &str = "sidestep:manifest";

/// The maximum size of a manifest that readers accept, in bytes.
pub const MAX_MANIFEST: usize = 256 * 1024;

/// Checks a manifest. Returns the grant keys that it requests.
pub(crate) fn check(text: &str) -> Result<Vec<String>, Error> {
    let wrong = |message: &str| Error::Manifest(message.to_owned());
    let manifest: Value =
        serde_json::from_str(text).map_err(|error| Error::Manifest(error.to_string()))?;
    if manifest["manifestVersion"] != 1 {
        return Err(wrong("`manifestVersion` is not 1"));
    }
    for key in ["name", "version", "apiVersion"] {
        if manifest[key].as_str().is_none_or(str::is_empty) {
            return Err(Error::Manifest(format!("`{key}` is missing")));
        }
    }
    for key in ["inputs", "outputs"] {
        let schema = manifest[key]
            .as_object()
            .ok_or_else(|| Error::Manifest(format!("`{key}` is not a JSON Schema")))?;
        check_schema(key, schema)?;
        check_references(key, &manifest[key])?;
    }
    let requests = manifest["requests"]
        .as_object()
        .ok_or_else(|| wrong("`requests` is missing"))?;
    for (key, scopes) in requests {
        if Capability::from_name(key).is_none() {
            return Err(Error::Manifest(format!(
                "`{key}` in `requests` is not a grant key"
            )));
        }
        if scopes.as_str().is_none_or(str::is_empty) {
            return Err(Error::Manifest(format!(
                "the request `{key}` is not an expression"
            )));
        }
    }
    Ok(requests.keys().cloned().collect())
}

/// Checks that a schema is an object that declares its properties and allows no others.
fn check_schema(key: &str, schema: &Map<String, Value>) -> Result<(), Error> {
    if schema.get("type") != Some(&"object".into()) {
        return Err(Error::Manifest(format!(
            "`{key}` does not have the type `object`"
        )));
    }
    if schema.get("additionalProperties") != Some(&false.into()) {
        return Err(Error::Manifest(format!(
            "`{key}` accepts unknown properties; use #[sidestep::data] or serde's deny_unknown_fields"
        )));
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for name in properties.into_iter().flat_map(Map::keys) {
        let camel = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_alphanumeric());
        if !camel {
            return Err(Error::Manifest(format!(
                "`{name}` of `{key}` is not in camelCase"
            )));
        }
    }
    Ok(())
}

/// Checks that every `$ref` points into the schema's own `$defs`.
fn check_references(key: &str, value: &Value) -> Result<(), Error> {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(target)) = object.get("$ref")
                && !target.starts_with("#/$defs/")
            {
                return Err(Error::Manifest(format!(
                    "`{key}` refers to `{target}`, which is not in its `$defs`"
                )));
            }
            object
                .values()
                .try_for_each(|value| check_references(key, value))
        }
        Value::Array(array) => array
            .iter()
            .try_for_each(|value| check_references(key, value)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest() -> Value {
        let schema = json!({
            "type": "object", "properties": { "aB": { "$ref": "#/$defs/B" } },
            "additionalProperties": false,
        });
        json!({
            "manifestVersion": 1, "name": "n", "version": "1.0.0", "apiVersion": "0.1.0",
            "inputs": schema, "outputs": schema, "requests": { "iamWrite": "[]" }, "pure": false,
        })
    }

    #[test]
    fn a_good_one_is_taken() {
        assert_eq!(check(&manifest().to_string()).expect("good"), ["iamWrite"]);
    }

    #[test]
    fn what_readers_would_not_take_is_named() {
        let cases = [
            ("/manifestVersion", json!(2), "`manifestVersion` is not 1"),
            ("/name", json!(""), "`name` is missing"),
            (
                "/inputs/type",
                json!("string"),
                "`inputs` does not have the type `object`",
            ),
            (
                "/inputs/additionalProperties",
                json!(true),
                "unknown properties",
            ),
            (
                "/outputs/properties",
                json!({"a_b": {}}),
                "`a_b` of `outputs` is not in camelCase",
            ),
            (
                "/outputs/properties/aB/$ref",
                json!("https://x"),
                "refers to `https://x`",
            ),
            (
                "/requests",
                json!({"disk": "[]"}),
                "`disk` in `requests` is not a grant key",
            ),
            (
                "/requests/iamWrite",
                json!(""),
                "the request `iamWrite` is not an expression",
            ),
        ];
        for (place, value, message) in cases {
            let mut wrong = manifest();
            *wrong.pointer_mut(place).expect(place) = value;
            let error = check(&wrong.to_string()).expect_err(place).to_string();
            assert!(error.contains(message), "{place}: {error}");
        }
        assert!(check("{").is_err());
    }
}
