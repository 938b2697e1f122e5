//! Expressions that are a single name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{Analysis, MAX_EXPRESSION, RESERVED, Reference};

/// The variables that expressions read. Other names may have a meaning in CEL.
const VARIABLES: [&str; 6] = ["env", "git", "inputs", "matrix", "run", "steps"];

/// The maximum nesting depth of a value. Deeper ones are left to CEL, which has its own stack.
const MAX_DEPTH: usize = 64;

/// Returns the analysis of a single name.
pub(super) fn analyse(text: &str) -> Option<Analysis> {
    let (root, path) = names(text)?;
    Some(Analysis {
        references: vec![Reference {
            root: root.to_owned(),
            path: path.map(str::to_owned).collect(),
            guarded: false,
        }],
        ..Analysis::default()
    })
}

/// Returns the value of a single name.
pub(super) fn evaluate(
    text: &str,
    variables: &BTreeMap<Cow<'_, str>, Cow<'_, Value>>,
) -> Option<Value> {
    let (root, mut path) = names(text)?;
    let value = path.try_fold(&**variables.get(root)?, |value, key| {
        value.as_object()?.get(key)
    })?;
    sorted(value, 0)
}

/// Returns the variable that an expression names, and the keys after it.
fn names(text: &str) -> Option<(&str, impl Iterator<Item = &str>)> {
    if text.len() > MAX_EXPRESSION {
        return None;
    }
    // CEL's white space.
    let text = text.trim_matches([' ', '\t', '\n', '\r', '\x0c']);
    let mut names = text.split('.');
    let root = names.next().filter(|root| VARIABLES.contains(root))?;
    names.clone().all(is_name).then_some((root, names))
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next();
    first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !RESERVED.contains(&text)
        && text != "_"
}

/// Returns a copy with the keys of its maps in alphabetical order, as expressions return them, or
/// `None` if the value nests too deep.
fn sorted(value: &Value, depth: usize) -> Option<Value> {
    if depth > MAX_DEPTH {
        return None;
    }
    let within = |value| sorted(value, depth + 1);
    Some(match value {
        Value::Array(items) => items.iter().map(within).collect::<Option<_>>()?,
        Value::Object(map) => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let entries = entries
                .into_iter()
                .map(|(key, item)| Some((key.clone(), within(item)?)));
            Value::Object(entries.collect::<Option<Map<_, _>>>()?)
        }
        other => other.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_variables_are_plain() {
        for text in [
            "inputs",
            "inputs.tag",
            " steps.build.outputs.image\n",
            "env.PATH_2",
        ] {
            assert!(names(text).is_some(), "{text}");
        }
        for text in [
            "",
            "int",
            "other.x",
            "inputs.",
            "inputs..x",
            "inputs. x",
            "inputs.in",
            "inputs.1",
            "inputs['x']",
            "inputs.x()",
            "!inputs.x",
            "inputs.é",
            "\u{a0}inputs.x",
            ".inputs",
        ] {
            assert!(names(text).is_none(), "{text}");
        }
        let long = format!("inputs.{}", "x".repeat(MAX_EXPRESSION));
        assert!(names(&long).is_none());
    }
}
