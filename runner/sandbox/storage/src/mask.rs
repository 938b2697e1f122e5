//! The `fields` parameter, which selects parts of a response
//! (<https://cloud.google.com/storage/docs/json_api#partial-response>).

use crate::failure::Failure;
use indexmap::IndexMap;
use serde_json::{Map, Value};

/// A parsed mask; an empty one keeps everything.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Mask(IndexMap<String, Mask>);

impl Mask {
    /// Parses `a,b/c,d(e,f/g)`.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let bad = || Failure::invalid(format!("Invalid field selection {text}"));
        let mut rest = text;
        let mask = Self::list(&mut rest, 0).ok_or_else(bad)?;
        if rest.is_empty() {
            Ok(mask)
        } else {
            Err(bad())
        }
    }

    fn list(rest: &mut &str, depth: usize) -> Option<Self> {
        // Resources nest only a few levels; a deeper mask is an attack on the stack.
        if depth > 16 {
            return None;
        }
        let mut mask = Self::default();
        loop {
            let end = rest.find(['/', '(', ')', ',']).unwrap_or(rest.len());
            let name = rest[..end].trim();
            if name.is_empty() {
                return None;
            }
            *rest = &rest[end..];
            let child = if let Some(after) = rest.strip_prefix('(') {
                *rest = after;
                let child = Self::list(rest, depth + 1)?;
                *rest = rest.strip_prefix(')')?;
                child
            } else if let Some(after) = rest.strip_prefix('/') {
                *rest = after;
                Self::path(rest, depth + 1)?
            } else {
                Self::default()
            };
            let known = mask.0.entry(name.to_owned()).or_default();
            known.0.extend(child.0);
            match rest.strip_prefix(',') {
                Some(after) => *rest = after,
                None => return Some(mask),
            }
        }
    }

    /// Parses the part after a slash: one name, not a list.
    fn path(rest: &mut &str, depth: usize) -> Option<Self> {
        if depth > 16 {
            return None;
        }
        let end = rest.find(['/', '(', ')', ',']).unwrap_or(rest.len());
        let name = rest[..end].trim().to_owned();
        if name.is_empty() {
            return None;
        }
        *rest = &rest[end..];
        let child = if let Some(after) = rest.strip_prefix('/') {
            *rest = after;
            Self::path(rest, depth + 1)?
        } else if let Some(after) = rest.strip_prefix('(') {
            *rest = after;
            let child = Self::list(rest, depth + 1)?;
            *rest = rest.strip_prefix(')')?;
            child
        } else {
            Self::default()
        };
        Some(Self(IndexMap::from([(name, child)])))
    }

    /// Returns the parts of a response that the mask names.
    pub(crate) fn apply(&self, value: Value) -> Value {
        if self.0.is_empty() || self.0.contains_key("*") && self.0["*"].0.is_empty() {
            return value;
        }
        match value {
            Value::Array(items) => items.into_iter().map(|item| self.apply(item)).collect(),
            Value::Object(fields) => {
                let mut kept = Map::new();
                for (key, field) in fields {
                    if let Some(child) = self.0.get(&key).or_else(|| self.0.get("*")) {
                        kept.insert(key, child.apply(field));
                    }
                }
                Value::Object(kept)
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn masks_cut_lists_paths_and_stars() {
        let value = json!({"items": [{"name": "a", "size": "1"}], "prefixes": ["p"], "kind": "k"});
        let cut = |mask: &str| Mask::parse(mask).unwrap().apply(value.clone());
        assert_eq!(cut("items/name"), json!({"items": [{"name": "a"}]}));
        assert_eq!(
            cut("items(name,size),prefixes"),
            json!({"items": [{"name": "a", "size": "1"}], "prefixes": ["p"]})
        );
        assert_eq!(cut("*"), value);
        assert_eq!(cut("items/name,items/size")["items"][0]["size"], "1");
        for bad in ["", "a(", "a(b", "a)", ",a", "a//b"] {
            assert!(Mask::parse(bad).is_err(), "{bad}");
        }
        assert!(Mask::parse(&"a(".repeat(100_000)).is_err());
    }
}
