//! The types of the values that a schema allows.

use serde_json::Value;
use sidestep_evaluator::types::{Fields, Scalars, Type};

use super::candidates;

/// The maximum depth to which the types of a schema are known.
const MAX_DEPTH: usize = 8;

/// Returns the type of an output, or `None` if the schema does not declare it.
pub(crate) fn output_type(root: &Value, name: &str) -> Option<Type> {
    let own = candidates(root, root);
    let mut declared = own
        .iter()
        .filter_map(|schema| schema.get("properties")?.get(name));
    let first = of(root, declared.next()?, MAX_DEPTH);
    Some(declared.fold(first, |all, one| all.or(of(root, one, MAX_DEPTH))))
}

/// Returns the type of all values that a schema allows, and possibly of others.
fn of(root: &Value, schema: &Value, depth: usize) -> Type {
    if depth == 0 {
        return Type::any();
    }
    let within = |schema: &Value| of(root, schema, depth - 1);
    let list = |key: &str| schema.get(key).and_then(Value::as_array);
    if let Some(kind) = schema.get("type") {
        let names = kind
            .as_array()
            .map_or(std::slice::from_ref(kind), Vec::as_slice);
        let kinds = names.iter().map(|name| match name.as_str() {
            Some("null") => Scalars::NULL.into(),
            Some("boolean") => Scalars::BOOLEAN.into(),
            // `1.0` is an integer for JSON Schema.
            Some("number" | "integer") => Scalars::NUMBER.into(),
            Some("string") => Scalars::TEXT.into(),
            Some("array") => Type::list(match schema.get("items") {
                Some(items) if schema.get("prefixItems").is_none() => within(items),
                _ => Type::any(),
            }),
            Some("object") => Type::map(fields(schema, within)),
            _ => Type::any(),
        });
        return kinds.fold(Type::never(), Type::or);
    }
    if let Some(value) = schema.get("const") {
        return Type::of(value);
    }
    if let Some(values) = list("enum") {
        return values.iter().map(Type::of).fold(Type::never(), Type::or);
    }
    if let Some(alternatives) = list("anyOf").or_else(|| list("oneOf")) {
        return alternatives
            .iter()
            .map(within)
            .fold(Type::never(), Type::or);
    }
    let target = schema.get("$ref").and_then(Value::as_str);
    let target = target.and_then(|reference| root.pointer(reference.strip_prefix('#')?));
    let parts = target
        .into_iter()
        .chain(list("allOf").into_iter().flatten());
    let mut parts = parts.map(within).filter(|part| !part.is_any());
    parts.next().unwrap_or_else(Type::any)
}

/// Returns the fields of the maps that a schema allows.
fn fields(schema: &Value, within: impl Fn(&Value) -> Type) -> Fields {
    let known = schema.get("properties").and_then(Value::as_object);
    let known = known.into_iter().flatten();
    let others = match schema.get("additionalProperties") {
        _ if schema.get("patternProperties").is_some() => Some(Type::any()),
        Some(Value::Bool(false)) => None,
        Some(others) => Some(within(others)),
        None => Some(Type::any()),
    };
    Fields {
        known: known
            .map(|(name, schema)| (name.clone(), within(schema)))
            .collect(),
        others,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_s_types_include_every_value_that_it_allows() {
        let schema = json!({
            "properties": {
                "text": { "type": "string" },
                "maybe": { "anyOf": [{ "type": "integer" }, { "type": "null" }] },
                "either": { "anyOf": [{ "type": "integer" }, {}] },
                "fixed": { "enum": ["a", 1] },
                "of": { "$ref": "#/$defs/inner" },
                "list": { "type": "array", "items": { "type": "string" } },
            },
            "$defs": { "inner": {
                "type": "object", "additionalProperties": false,
                "properties": { "size": { "type": "integer" }, "self": { "$ref": "#/$defs/inner" } },
            } },
        });
        let of = |name| output_type(&schema, name).expect(name);
        assert_eq!(of("text"), Scalars::TEXT.into());
        assert_eq!(of("maybe"), Scalars::NUMBER.or(Scalars::NULL).into());
        assert!(of("either").is_any());
        assert_eq!(of("fixed"), Scalars::TEXT.or(Scalars::INT).into());
        assert_eq!(of("list"), Type::list(Scalars::TEXT.into()));
        assert_eq!(of("of").field("size"), Some(Scalars::NUMBER.into()));
        assert_eq!(of("of").field("other"), None);
        assert_eq!(output_type(&schema, "none"), None);
    }
}
