//! Partial responses: the `fields` parameter that all of Google's JSON APIs take.
//!
//! Syntax: <https://cloud.google.com/storage/docs/json_api#partial-response>.

use serde_json::{Map, Value};

/// The maximum nesting; deeper parts are left out.
const MAX_DEPTH: usize = 16;

/// Returns the parts of an answer that the mask names.
pub(crate) fn apply(mask: &str, answer: &Value) -> Value {
    apply_at(mask, answer, 0)
}

fn apply_at(mask: &str, value: &Value, depth: usize) -> Value {
    if mask.is_empty() || depth > MAX_DEPTH {
        return value.clone();
    }
    match value {
        Value::Array(items) => items
            .iter()
            .map(|item| apply_at(mask, item, depth))
            .collect(),
        Value::Object(object) => {
            let mut kept = Map::new();
            for field in split_top(mask) {
                let (name, rest) = split_field(field);
                for (key, inner) in object {
                    if name == "*" || name == key {
                        let part = apply_at(rest, inner, depth + 1);
                        merge(kept.entry(key.clone()).or_insert(Value::Null), part);
                    }
                }
            }
            Value::Object(kept)
        }
        other => other.clone(),
    }
}

/// Merges two parts of one field, as in `a/b,a/c`.
fn merge(into: &mut Value, part: Value) {
    match (into, part) {
        (Value::Object(into), Value::Object(part)) => into.extend(part),
        (into, part) => *into = part,
    }
}

/// Splits at the commas outside brackets.
fn split_top(mask: &str) -> Vec<&str> {
    let (mut depth, mut start, mut fields) = (0_usize, 0, Vec::new());
    for (at, c) in mask.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                fields.push(&mask[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    fields.push(&mask[start..]);
    fields
        .into_iter()
        .map(str::trim)
        .filter(|f| !f.is_empty())
        .collect()
}

/// Splits `name/rest`, `name.rest` and `name(rest)`.
fn split_field(field: &str) -> (&str, &str) {
    match field.find(['/', '(', '.']) {
        None => (field, ""),
        Some(at) => {
            let rest = &field[at + 1..];
            let rest = if field[at..].starts_with('(') {
                rest.strip_suffix(')').unwrap_or(rest)
            } else {
                rest
            };
            (&field[..at], rest)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn masks_keep_what_they_name() {
        let answer = json!({"items": [{"a": 1, "b": {"c": 2, "d": 3}}, {"a": 4}], "next": "x"});
        assert_eq!(apply("next", &answer), json!({"next": "x"}));
        assert_eq!(
            apply("items/a", &answer),
            json!({"items": [{"a": 1}, {"a": 4}]})
        );
        assert_eq!(
            apply("items(a,b/d)", &answer),
            json!({"items": [{"a": 1, "b": {"d": 3}}, {"a": 4}]})
        );
        assert_eq!(apply("*", &answer), answer);
        assert_eq!(apply("", &answer), answer);
    }

    #[test]
    fn misshapen_masks_do_no_harm() {
        let answer = json!({"a": {"b": 1}});
        for mask in ["(", ")", "a(", "a((((b", ",,,", "a/", "ü", "a/b/c/d"] {
            apply(mask, &answer);
        }
        apply(&"a/".repeat(100_000), &answer);
    }
}
