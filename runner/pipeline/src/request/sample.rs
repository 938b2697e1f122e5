//! Values that a schema allows, to try a request on.

use serde_json::{Map, Value, json};

use crate::schema;

/// The maximum depth of a sample; deeper places are null.
const MAX_DEPTH: usize = 6;

/// Returns inputs with a value for every property, or only for the required ones.
pub(super) fn inputs(schema: &Value, all: bool) -> Value {
    let candidates = schema::candidates(schema, schema);
    object(schema, &candidates, all, MAX_DEPTH)
}

fn object(root: &Value, of: &[&Value], all: bool, depth: usize) -> Value {
    let required: Vec<&str> = of
        .iter()
        .filter_map(|schema| schema.get("required")?.as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let names = schema::property_names(of).into_iter();
    let given = names.filter(|name| all || required.contains(name));
    let entries = given.map(|name| {
        let of = schema::property(root, of, name);
        (name.to_owned(), value(root, &of, all, depth - 1))
    });
    Value::Object(entries.collect::<Map<_, _>>())
}

fn value(root: &Value, of: &[&Value], all: bool, depth: usize) -> Value {
    let keyword = |name: &str| of.iter().find_map(|schema| schema.get(name));
    if let Some(constant) = keyword("const") {
        return constant.clone();
    }
    if let Some(first) = keyword("enum").and_then(|values| values.get(0)) {
        return first.clone();
    }
    if let Some(default) = keyword("default").filter(|default| !default.is_null()) {
        return default.clone();
    }
    let types = schema::types(of);
    let has = |name: &str| types.contains(&name);
    if depth == 0 {
        return Value::Null;
    }
    if has("string") {
        return text(schema::mark(of).as_deref()).into();
    }
    if has("object") {
        return object(root, of, all, depth);
    }
    if has("array") {
        return json!([value(root, &schema::items(root, of), all, depth - 1)]);
    }
    if has("integer") || has("number") {
        return keyword("minimum").cloned().unwrap_or_else(|| json!(1));
    }
    if has("boolean") {
        return json!(true);
    }
    Value::Null
}

/// Returns a text of the SDK's type with this mark.
fn text(mark: Option<&str>) -> &'static str {
    match mark {
        Some("bucket") => "gs://sample",
        Some("byte-size") => "1Mi",
        Some("cluster") => "projects/sample/locations/europe-west1/clusters/sample",
        Some("duration") => "30s",
        Some("image-ref") => "europe-docker.pkg.dev/sample/images/sample:1",
        _ => "sample",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_sample() {
        let schema = json!({
            "type": "object", "required": ["name"],
            "properties": {
                "name": { "type": "string" },
                "bucket": { "type": ["string", "null"], "x-sidestep": "bucket" },
                "count": { "type": "integer", "minimum": 3 },
                "list": { "type": "array", "items": { "$ref": "#/$defs/One" } },
                "form": { "enum": ["auto", "direct"] },
                "wait": { "type": "string", "default": "5s" },
            },
            "$defs": { "One": { "type": "object", "properties": { "on": { "type": "boolean" } } } },
        });
        assert_eq!(inputs(&schema, false), json!({ "name": "sample" }));
        let all = json!({
            "name": "sample", "bucket": "gs://sample", "count": 3, "list": [{ "on": true }],
            "form": "auto", "wait": "5s",
        });
        assert_eq!(inputs(&schema, true), all);
    }

    #[test]
    fn a_schema_that_contains_itself_has_an_end() {
        let schema = json!({
            "type": "object", "properties": { "inner": { "$ref": "#" } },
        });
        assert!(inputs(&schema, true).to_string().len() < 200);
    }
}
