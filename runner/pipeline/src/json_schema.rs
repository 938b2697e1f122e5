use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::manifest::Manifest;

/// The JSON Schema (draft 2020-12) of a pipeline file, for editors. `manifests` are the plugins
/// that are known by the name which `uses` has: the inputs of their steps are described, each as
/// its type or an expression.
pub fn schema_pipeline(manifests: &BTreeMap<String, Manifest>) -> Value {
    let id = "^[A-Za-z_][A-Za-z0-9_]*$";
    let time = json!({ "type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$" });
    let named = |of: Value| json!({ "type": "object", "propertyNames": { "pattern": id }, "additionalProperties": of });
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    let plugins: Vec<Value> = manifests
        .iter()
        .map(|(name, manifest)| {
            json!({
                "if": { "properties": { "uses": { "const": name } } },
                "then": { "properties": { "with": with(manifest) } },
            })
        })
        .collect();
    let known: Vec<&String> = manifests.keys().collect();
    let count = json!({ "type": "integer", "minimum": 1 });
    let mut step = json!({
        "type": "object",
        "required": ["uses"],
        "additionalProperties": false,
        "properties": {
            "uses": { "type": "string", "examples": known },
            "description": { "type": "string" },
            "with": { "type": "object" },
            "if": { "type": "string" },
            "needs": texts,
            "timeout": time,
            "retry": { "$ref": "#/$defs/retry" },
            "matrix": { "type": "object" },
            "failFast": { "type": "boolean" },
            "maxParallel": count,
            "grants": { "type": "object" },
            "secrets": texts,
        },
    });
    if !plugins.is_empty() {
        step["allOf"] = Value::Array(plugins);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Sidestep pipeline, version 1",
        "type": "object",
        "required": ["version", "name", "steps"],
        "additionalProperties": false,
        "properties": {
            "version": { "const": 1 },
            "name": { "type": "string" },
            "description": { "type": "string" },
            "inputs": named(json!({ "$ref": "#/$defs/input" })),
            "secrets": named(json!({ "$ref": "#/$defs/secret" })),
            "env": texts,
            "defaults": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "timeout": time,
                    "retry": { "$ref": "#/$defs/retry" },
                    "cluster": { "type": "string" },
                },
            },
            "maxParallel": count,
            "timeout": time,
            "steps": named(json!({ "$ref": "#/$defs/step" })),
            "finally": named(json!({ "$ref": "#/$defs/step" })),
            "outputs": named(json!({})),
        },
        "$defs": {
            "step": step,
            "input": {
                "type": "object",
                "required": ["type"],
                "additionalProperties": false,
                "properties": {
                    "type": { "enum": ["string", "integer", "number", "boolean", "list", "map"] },
                    "description": { "type": "string" },
                    "default": {},
                    "pattern": { "type": "string" },
                    "enum": { "type": "array" },
                },
            },
            "secret": {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": false,
                "properties": {
                    "env": { "type": "string" },
                    "file": { "type": "string" },
                    "secretManager": { "type": "string" },
                },
            },
            "retry": {
                "type": "object",
                "required": ["attempts"],
                "additionalProperties": false,
                "properties": {
                    "attempts": count,
                    "on": texts,
                    "delay": time,
                    "maxDelay": time,
                },
            },
        },
    })
}

/// A plugin's inputs, its own definitions inlined where they are used, each property also as an
/// expression. What is required may come from `defaults`, so nothing is.
fn with(manifest: &Manifest) -> Value {
    let root = &manifest.inputs;
    let mut properties = Map::new();
    let declared = root.get("properties").and_then(Value::as_object);
    for (name, schema) in declared.into_iter().flatten() {
        let inlined = inline(root, schema, 8);
        let code = inlined.get("x-sidestep").is_some_and(|mark| mark == "code");
        let value = if code {
            inlined
        } else {
            json!({ "anyOf": [inlined, { "type": "string", "pattern": "\\$\\{\\{" }] })
        };
        properties.insert(name.clone(), value);
    }
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// A schema with the references to its root's `$defs` replaced; a recursive one ends as anything.
fn inline(root: &Value, schema: &Value, depth: usize) -> Value {
    if depth == 0 {
        return json!({});
    }
    match schema {
        Value::Object(map) => {
            let target = map
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|reference| root.pointer(reference.strip_prefix('#')?));
            let mut inlined: Map<String, Value> = map
                .iter()
                .filter(|(key, _)| *key != "$ref" && *key != "$defs")
                .map(|(key, value)| (key.clone(), inline(root, value, depth)))
                .collect();
            if let Some(Value::Object(target)) = target.map(|t| inline(root, t, depth - 1)) {
                for (key, value) in target {
                    inlined.entry(key).or_insert(value);
                }
            }
            Value::Object(inlined)
        }
        Value::Array(items) => items.iter().map(|item| inline(root, item, depth)).collect(),
        other => other.clone(),
    }
}
