//! Types, and comparisons of values that are neither composed nor fractions.

use serde_json::Value;

/// The names of types (<https://json-schema.org/draft/2020-12/json-schema-core>, section 4.2.1).
const TYPES: [&str; 7] = [
    "array", "boolean", "integer", "null", "number", "object", "string",
];
/// The maximum length of a list of names, which are compared with each other.
const MAX_NAMES: usize = 100;

/// Returns the types that `type` lists, if it is valid.
pub(super) fn types(argument: &Value) -> Option<Vec<&str>> {
    let names = match argument {
        Value::String(name) => vec![name.as_str()],
        Value::Array(names) if are_unique_texts(names) => {
            names.iter().filter_map(Value::as_str).collect()
        }
        _ => return None,
    };
    let are_known = !names.is_empty() && names.iter().all(|name| TYPES.contains(name));
    are_known.then_some(names)
}

pub(super) fn are_unique_texts(texts: &[Value]) -> bool {
    let is_first = |(at, text): (usize, &Value)| text.is_string() && !texts[..at].contains(text);
    texts.len() <= MAX_NAMES && texts.iter().enumerate().all(is_first)
}

/// Returns whether the value has one of the types. Whether a fraction is an integer is left to the
/// evaluator.
pub(super) fn is_of(types: &[&str], value: &Value) -> Option<bool> {
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::Number(_) if types.contains(&"number") => "number",
        Value::Number(_) => integer(value).map(|_| "integer")?,
    };
    Some(types.contains(&name))
}

pub(super) fn integer(value: &Value) -> Option<i128> {
    let signed = value.as_i64().map(i128::from);
    signed.or_else(|| value.as_u64().map(i128::from))
}

/// Returns whether equality with this value is certain: it is neither a fraction nor composed.
pub(super) fn is_simple(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(_) => integer(value).is_some(),
        Value::Array(_) | Value::Object(_) => false,
    }
}

/// Returns whether a value equals a simple one.
pub(super) fn is_equal(simple: &Value, value: &Value) -> Option<bool> {
    match value {
        Value::Number(_) => Some(integer(simple) == Some(integer(value)?)),
        _ => Some(simple == value),
    }
}
