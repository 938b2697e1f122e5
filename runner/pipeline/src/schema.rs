//! JSON Schemas of plugins: they come from strangers, so nothing is fetched for them and patterns
//! run in linear time.

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Map, Value};

/// How deep references and combinators of a schema are followed.
const MAX_DEPTH: usize = 12;

/// What a schema finds wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Where in the value, as a JSON pointer.
    pub(crate) pointer: String,
    /// What is wrong.
    pub(crate) message: String,
    /// Keys that the schema does not know.
    pub(crate) unexpected: Vec<String>,
    /// Whether alternatives were tried, so that a part which is not known yet may decide.
    pub(crate) alternatives: bool,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.pointer.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(
                f,
                "{}: {}",
                self.pointer.trim_start_matches('/').replace('/', "."),
                self.message
            )
        }
    }
}

fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .with_pattern_options(PatternOptions::regex().size_limit(1 << 20))
        .build(schema)
        .map_err(|error| format!("the schema itself is wrong: {error}"))
}

/// Everything that the schema finds wrong with a value. An error says that the schema is unusable.
pub(crate) fn validate(schema: &Value, value: &Value) -> Result<Vec<Finding>, String> {
    use jsonschema::error::ValidationErrorKind as Kind;
    let validator = compile(schema)?;
    Ok(validator
        .iter_errors(value)
        .take(100)
        .map(|error| {
            let mut unexpected = Vec::new();
            let mut alternatives = false;
            let message = match error.kind() {
                Kind::AdditionalProperties { unexpected: keys }
                | Kind::UnevaluatedProperties { unexpected: keys } => {
                    unexpected.clone_from(keys);
                    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
                    format!("{} is not known here", keys.join(", "))
                }
                Kind::Required { property } => {
                    format!("`{}` is missing", property.as_str().unwrap_or_default())
                }
                Kind::AnyOf { .. }
                | Kind::OneOfNotValid { .. }
                | Kind::OneOfMultipleValid { .. } => {
                    alternatives = true;
                    "this is none of the forms that are allowed here".to_owned()
                }
                Kind::Pattern { pattern } => format!("this does not match {pattern}"),
                _ => error.masked_with("this").to_string(),
            };
            Finding {
                pointer: error.instance_path().to_string(),
                message,
                unexpected,
                alternatives,
            }
        })
        .collect())
}

/// A schema with its references followed and its alternatives side by side.
pub(crate) fn candidates<'s>(root: &'s Value, schema: &'s Value) -> Vec<&'s Value> {
    let mut found = Vec::new();
    gather(root, schema, MAX_DEPTH, &mut found);
    found
}

fn gather<'s>(root: &'s Value, schema: &'s Value, depth: usize, found: &mut Vec<&'s Value>) {
    if depth == 0 || found.len() > 256 {
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

/// The types that a schema allows; empty when it does not say.
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

/// The schemas of a property.
pub(crate) fn property<'s>(root: &'s Value, of: &[&'s Value], name: &str) -> Vec<&'s Value> {
    of.iter()
        .filter_map(|schema| {
            schema
                .get("properties")
                .and_then(|all| all.get(name))
                .or_else(|| schema.get("additionalProperties"))
        })
        .flat_map(|schema| candidates(root, schema))
        .collect()
}

/// The schemas of a list's items.
pub(crate) fn items<'s>(root: &'s Value, of: &[&'s Value]) -> Vec<&'s Value> {
    of.iter()
        .filter_map(|schema| schema.get("items"))
        .flat_map(|schema| candidates(root, schema))
        .collect()
}

/// The names of the properties that a schema knows.
pub(crate) fn property_names<'s>(of: &[&'s Value]) -> Vec<&'s str> {
    of.iter()
        .filter_map(|schema| schema.get("properties")?.as_object())
        .flat_map(Map::keys)
        .map(String::as_str)
        .collect()
}

/// What `x-sidestep` marks a value as, lower case.
pub(crate) fn mark(candidates: &[&Value]) -> Option<String> {
    candidates
        .iter()
        .find_map(|schema| schema.get("x-sidestep")?.as_str())
        .map(str::to_lowercase)
}

/// Fills in the defaults of properties that are absent, at every depth.
pub(crate) fn fill_defaults(schema: &Value, value: &mut Value) {
    let top = candidates(schema, schema);
    fill(schema, &top, value, MAX_DEPTH);
}

fn fill<'s>(root: &'s Value, schemas: &[&'s Value], value: &mut Value, depth: usize) {
    if depth == 0 {
        return;
    }
    match value {
        Value::Object(map) => {
            for name in property_names(schemas) {
                let of = property(root, schemas, name);
                match map.get_mut(name) {
                    Some(value) => fill(root, &of, value, depth - 1),
                    None => {
                        if let Some(default) = of.iter().find_map(|schema| schema.get("default")) {
                            map.insert(name.to_owned(), default.clone());
                        }
                    }
                }
            }
        }
        Value::Array(list) => {
            let of = items(root, schemas);
            for item in list {
                fill(root, &of, item, depth - 1);
            }
        }
        _ => {}
    }
}

/// Sets the top properties that are still absent to null, so that requests can ask for them.
pub(crate) fn fill_nulls(schema: &Value, value: &mut Value) {
    let Value::Object(map) = value else { return };
    for name in property_names(&candidates(schema, schema)) {
        if !map.contains_key(name) {
            map.insert(name.to_owned(), Value::Null);
        }
    }
}
