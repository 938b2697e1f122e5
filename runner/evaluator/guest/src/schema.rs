//! Validates values against JSON Schemas. Nothing is fetched, and patterns run in linear time.

use std::cell::RefCell;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;
use sidestep_evaluator::Finding;

use crate::limits::MAX_PATTERN;
use crate::remembered::Remembered;

/// The longest part of a schema that a message quotes, in characters.
const MAX_QUOTED: usize = 300;

thread_local! {
    static SCHEMAS: RefCell<Remembered<String, Validator>> = const { RefCell::new(Remembered::new(16)) };
}

fn compile(schema: &str) -> Result<Validator, String> {
    let schema: Value = serde_json::from_str(schema)
        .map_err(|error| format!("the schema can't be read: {error}"))?;
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN))
        .build(&schema)
        .map_err(|error| format!("the schema itself is wrong: {}", shorten(error.to_string())))
}

/// Returns all errors of a value against a schema, given as JSON. `Err` means that the schema is
/// unusable.
pub(crate) fn validate(schema: &str, value: &Value) -> Result<Vec<Finding>, String> {
    use jsonschema::error::ValidationErrorKind as Kind;
    let validator = SCHEMAS.with_borrow_mut(|schemas| schemas.get_or_make(schema, compile))?;
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
                    "this matches none of the allowed forms".to_owned()
                }
                Kind::Pattern { pattern } => {
                    format!("this does not match {}", shorten(pattern.clone()))
                }
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

/// Returns a text for a message, cut if it is long.
fn shorten(text: String) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
