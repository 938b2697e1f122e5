//! Reads the JSON Schemas of plugins, which are untrusted. The evaluator checks values against
//! them; this module bounds what the planner itself reads of them.

mod defaults;
mod kinds;

use std::borrow::Cow;

use serde_json::{Map, Value};
use sidestep_evaluator::{Answer, Evaluator, Finding, Question};

use crate::expression::Unanswered;

pub(crate) use defaults::fill_defaults;
pub(crate) use kinds::output_type;

/// The maximum depth to which references and combinators of a schema are followed.
const MAX_DEPTH: usize = 12;
/// The maximum number of schemas for one place of a value.
const MAX_CANDIDATES: usize = 64;

/// Returns all violations of the schema by a value. An error means that the schema is unusable.
pub(crate) fn validate(
    evaluator: &dyn Evaluator,
    schema: &Value,
    value: &Value,
) -> Result<Vec<Finding>, Unanswered> {
    let question = Question::Validate {
        schema: Cow::Borrowed(schema),
        value: Cow::Borrowed(value),
    };
    match evaluator.ask(&question)? {
        Answer::Findings(findings) => Ok(findings),
        other => Err(Unanswered::of(other)),
    }
}

/// Returns a schema and its alternatives, with references followed.
pub(crate) fn candidates<'s>(root: &'s Value, schema: &'s Value) -> Vec<&'s Value> {
    gathered(root, std::iter::once(schema))
}

/// Returns these schemas and their alternatives, with references followed, without duplicates,
/// and at most [`MAX_CANDIDATES`]: nested alternatives would multiply at every depth of a value.
fn gathered<'s>(root: &'s Value, schemas: impl Iterator<Item = &'s Value>) -> Vec<&'s Value> {
    let mut found = Vec::new();
    for schema in schemas {
        gather(root, schema, MAX_DEPTH, &mut found);
    }
    found
}

fn gather<'s>(root: &'s Value, schema: &'s Value, depth: usize, found: &mut Vec<&'s Value>) {
    let known = |found: &[&'s Value]| found.iter().any(|other| std::ptr::eq(*other, schema));
    if depth == 0 || found.len() >= MAX_CANDIDATES || known(found) {
        return;
    }
    found.push(schema);
    if let Some(target) = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| root.pointer(reference.strip_prefix('#')?))
    {
        gather(root, target, depth - 1, found);
    }
    for combinator in ["anyOf", "oneOf", "allOf"] {
        let all = schema.get(combinator).and_then(Value::as_array);
        for one in all.into_iter().flatten() {
            gather(root, one, depth - 1, found);
        }
    }
}

/// Returns the types that a schema allows; empty if it does not specify any.
pub(crate) fn types<'s>(candidates: &[&'s Value]) -> Vec<&'s str> {
    let mut types = Vec::new();
    for schema in candidates {
        match schema.get("type") {
            Some(Value::String(name)) => types.push(name.as_str()),
            Some(Value::Array(names)) => types.extend(names.iter().filter_map(Value::as_str)),
            _ => {}
        }
    }
    types
}

/// Returns the schemas of a property.
pub(crate) fn property<'s>(root: &'s Value, of: &[&'s Value], name: &str) -> Vec<&'s Value> {
    let own = of.iter().filter_map(|schema| {
        schema
            .get("properties")
            .and_then(|all| all.get(name))
            .or_else(|| schema.get("additionalProperties"))
    });
    gathered(root, own)
}

/// Returns the schemas of a list's items.
pub(crate) fn items<'s>(root: &'s Value, of: &[&'s Value]) -> Vec<&'s Value> {
    gathered(root, of.iter().filter_map(|schema| schema.get("items")))
}

/// Returns the names of the properties that a schema declares.
pub(crate) fn property_names<'s>(of: &[&'s Value]) -> Vec<&'s str> {
    of.iter()
        .filter_map(|schema| schema.get("properties")?.as_object())
        .flat_map(Map::keys)
        .map(String::as_str)
        .collect()
}

/// Returns the `x-sidestep` mark of a value, in lower case.
pub(crate) fn mark(candidates: &[&Value]) -> Option<String> {
    candidates
        .iter()
        .find_map(|schema| schema.get("x-sidestep")?.as_str())
        .map(str::to_lowercase)
}

/// Sets absent top-level properties to null, so that requests can read them.
pub(crate) fn fill_nulls(schema: &Value, value: &mut Value) {
    let Value::Object(map) = value else { return };
    for name in property_names(&candidates(schema, schema)) {
        if !map.contains_key(name) {
            map.insert(name.to_owned(), Value::Null);
        }
    }
}
