//! Partial responses: the `fields` parameter of Google's JSON APIs
//! (<https://cloud.google.com/storage/docs/json_api#partial-response>).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The maximum nesting. Resources nest only a few levels; a deeper mask is an attack on the stack.
const MAX_DEPTH: usize = 16;

/// A parsed mask, which selects parts of a response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Mask {
    /// Everything.
    #[default]
    Whole,
    /// These fields of an object, and the parts of each. `*` is every field.
    Fields(BTreeMap<String, Self>),
}

/// The error for a text that is not a mask, or is nested too deeply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid field selection {0}")]
pub struct InvalidMask(
    /// The text.
    pub String,
);

impl Mask {
    /// Parses `a,b/c,d(e,f/g)`.
    ///
    /// # Errors
    /// If the text is empty or malformed.
    pub fn parse(text: &str) -> Result<Self, InvalidMask> {
        let mut rest = text;
        match list(&mut rest, 0) {
            Some(mask) if rest.is_empty() => Ok(mask),
            _ => Err(InvalidMask(text.to_owned())),
        }
    }

    /// Returns the parts of a response that the mask names.
    pub fn apply(&self, value: Value) -> Value {
        let Self::Fields(fields) = self else {
            return value;
        };
        match value {
            Value::Array(items) => items.into_iter().map(|item| self.apply(item)).collect(),
            Value::Object(object) => {
                let mut kept = Map::new();
                for (key, part) in object {
                    match (fields.get(&key), fields.get("*")) {
                        (Some(named), Some(every)) => {
                            let both = named.clone().union(every.clone());
                            kept.insert(key, both.apply(part));
                        }
                        (Some(one), None) | (None, Some(one)) => {
                            kept.insert(key, one.apply(part));
                        }
                        (None, None) => {}
                    }
                }
                Value::Object(kept)
            }
            other => other,
        }
    }

    /// Returns the mask that selects what either selects.
    fn union(self, other: Self) -> Self {
        let (Self::Fields(mut fields), Self::Fields(more)) = (self, other) else {
            return Self::Whole;
        };
        for (name, mask) in more {
            let both = match fields.remove(&name) {
                Some(known) => known.union(mask),
                None => mask,
            };
            fields.insert(name, both);
        }
        Self::Fields(fields)
    }
}

/// Parses fields between commas.
fn list(rest: &mut &str, depth: usize) -> Option<Mask> {
    let mut mask = field(rest, depth)?;
    while let Some(after) = rest.strip_prefix(',') {
        *rest = after;
        mask = mask.union(field(rest, depth)?);
    }
    Some(mask)
}

/// Parses `name`, `name/FIELD` or `name(LIST)`.
fn field(rest: &mut &str, depth: usize) -> Option<Mask> {
    if depth > MAX_DEPTH {
        return None;
    }
    let end = rest.find(['/', '(', ')', ',']).unwrap_or(rest.len());
    let name = rest[..end].trim();
    if name.is_empty() {
        return None;
    }
    *rest = &rest[end..];
    let parts = if let Some(after) = rest.strip_prefix('/') {
        *rest = after;
        field(rest, depth + 1)?
    } else if let Some(after) = rest.strip_prefix('(') {
        *rest = after;
        let parts = list(rest, depth + 1)?;
        *rest = rest.strip_prefix(')')?;
        parts
    } else {
        Mask::Whole
    };
    Some(Mask::Fields(BTreeMap::from([(name.to_owned(), parts)])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn cut(mask: &str, value: &Value) -> Value {
        Mask::parse(mask).unwrap().apply(value.clone())
    }

    #[test]
    fn masks_keep_what_they_name() {
        let value = json!({"items": [{"a": 1, "b": {"c": 2, "d": 3}}, {"a": 4}], "next": "x"});
        for (mask, expected) in [
            ("next", json!({"next": "x"})),
            ("items/a", json!({"items": [{"a": 1}, {"a": 4}]})),
            (
                "items(a,b/d)",
                json!({"items": [{"a": 1, "b": {"d": 3}}, {"a": 4}]}),
            ),
            ("items(a,b),next", value.clone()),
            ("items/a, items/b", json!({"items": value["items"]})),
            (
                "items/b/c,items/b/d",
                json!({"items": [{"b": {"c": 2, "d": 3}}, {}]}),
            ),
            ("items,items/a", json!({"items": value["items"]})),
            (
                "*/a,next",
                json!({"items": [{"a": 1}, {"a": 4}], "next": "x"}),
            ),
            ("absent", json!({})),
            ("*", value.clone()),
        ] {
            assert_eq!(cut(mask, &value), expected, "{mask}");
        }
        assert_eq!(Mask::default().apply(value.clone()), value);
    }

    #[test]
    fn misshapen_and_deep_masks_are_errors() {
        for bad in [
            "", "(", ")", "a(", "a(b", "a)", ",a", "a,", "a//b", "a/", "a((((b", ",,,", "a()",
        ] {
            let error = Mask::parse(bad).unwrap_err();
            assert_eq!(error.to_string(), format!("Invalid field selection {bad}"));
        }
        assert!(Mask::parse(&"a(".repeat(100_000)).is_err());
        assert!(Mask::parse(&"a/".repeat(100_000)).is_err());
        assert!(Mask::parse("ü/b").is_ok());
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = any::<u8>().prop_map(Value::from);
        leaf.prop_recursive(3, 24, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map("[abc]", inner, 0..3)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    fn mask() -> impl Strategy<Value = String> {
        "[abc*]".prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                ("[abc*]", inner.clone()).prop_map(|(name, rest)| format!("{name}/{rest}")),
                ("[abc*]", proptest::collection::vec(inner, 1..3))
                    .prop_map(|(name, parts)| format!("{name}({})", parts.join(","))),
            ]
        })
    }

    /// Returns what either part of one value has.
    fn both(one: Value, other: Value) -> Value {
        match (one, other) {
            (Value::Array(one), Value::Array(other)) => one
                .into_iter()
                .zip(other)
                .map(|(a, b)| both(a, b))
                .collect(),
            (Value::Object(mut one), Value::Object(other)) => {
                for (key, value) in other {
                    let merged = match one.remove(&key) {
                        Some(known) => both(known, value),
                        None => value,
                    };
                    one.insert(key, merged);
                }
                Value::Object(one)
            }
            (one, _) => one,
        }
    }

    proptest! {
        #[test]
        fn a_list_keeps_what_each_of_its_fields_keeps(
            value in value(), one in mask(), other in mask()
        ) {
            let together = cut(&format!("{one},{other}"), &value);
            prop_assert_eq!(&together, &both(cut(&one, &value), cut(&other, &value)));
            prop_assert_eq!(cut(&one, &cut(&one, &value)), cut(&one, &value));
        }
    }
}
