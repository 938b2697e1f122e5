//! The schema of a plugin's inputs in a pipeline: each a value or an expression.

use serde_json::{Map, Value, json};

use crate::manifest::Manifest;

/// Returns the schema of a plugin's inputs, and whether some are required. Its definitions are
/// inlined, and each property may also be an expression. `defaults` may provide a cluster.
pub(super) fn with(manifest: &Manifest) -> (Value, bool) {
    let root = &manifest.inputs;
    let mut properties = Map::new();
    let mut clusters = Vec::new();
    let declared = root.get("properties").and_then(Value::as_object);
    for (name, schema) in declared.into_iter().flatten() {
        let mut inlined = inline(root, schema, 8);
        let marked = |what: &str| {
            let mark = inlined.get("x-sidestep").and_then(Value::as_str);
            mark.is_some_and(|mark| mark.eq_ignore_ascii_case(what))
        };
        if marked("cluster") {
            clusters.push(name.as_str());
        }
        let value = if marked("code") {
            inlined["not"] = json!({ "type": "string", "pattern": r"\$\{\{" });
            inlined
        } else {
            or_expression(inlined)
        };
        properties.insert(name.clone(), value);
    }
    let required = root.get("required").and_then(Value::as_array);
    let required: Vec<&str> = required
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|name| !clusters.contains(name))
        .collect();
    let some = !required.is_empty();
    let types = if some {
        json!("object")
    } else {
        json!(["object", "null"])
    };
    let schema = json!({
        "type": types,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    (schema, some)
}

/// Returns a schema of the value or an expression; the annotations that editors show stay on top.
fn or_expression(mut schema: Value) -> Value {
    let mut shown = Map::new();
    if let Some(map) = schema.as_object_mut() {
        for key in ["title", "description", "default", "examples"] {
            shown.extend(map.remove(key).map(|value| (key.to_owned(), value)));
        }
    }
    let expression = json!({ "type": "string", "pattern": r"\$\{\{" });
    shown.insert("anyOf".to_owned(), json!([schema, expression]));
    Value::Object(shown)
}

/// Returns a schema with the references to its root's `$defs` replaced; a recursive reference
/// ends as a schema that allows anything. Texts deep inside may be expressions too, so each
/// property and item below the top may be one.
fn inline(root: &Value, schema: &Value, depth: usize) -> Value {
    if depth == 0 {
        return json!({});
    }
    let Value::Object(map) = schema else {
        return schema.clone();
    };
    let mut inlined = Map::new();
    for (key, value) in map {
        let value = match (key.as_str(), value) {
            ("$ref" | "$defs", _) => continue,
            ("properties", Value::Object(properties)) => properties
                .iter()
                .map(|(name, schema)| {
                    (name.clone(), or_expression(inline(root, schema, depth - 1)))
                })
                .collect(),
            ("items" | "additionalProperties", Value::Object(_)) => {
                or_expression(inline(root, value, depth - 1))
            }
            ("anyOf" | "oneOf" | "allOf", Value::Array(all)) => {
                all.iter().map(|one| inline(root, one, depth)).collect()
            }
            (_, value) => value.clone(),
        };
        inlined.insert(key.clone(), value);
    }
    let target = map
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| root.pointer(reference.strip_prefix('#')?));
    if let Some(Value::Object(target)) = target.map(|target| inline(root, target, depth - 1)) {
        for (key, value) in target {
            inlined.entry(key).or_insert(value);
        }
    }
    Value::Object(inlined)
}
