//! Values that fit a schema of common keywords.
//!
//! The evaluator compiles each schema at its first value, and checks it against the schema of
//! schemas, which it compiles for each of them: some 20 million steps for a plugin with six inputs.
//! The keywords here are those that a plugin's types are described with.

mod scalars;
#[cfg(test)]
mod tests;

use std::cell::Cell;

use serde_json::{Map, Value};
use sidestep_contract::units::{SIZE_PATTERN, TIME_PATTERN};

use scalars::{are_unique_texts, integer, is_equal, is_of, is_simple, types};

/// The only dialect (<https://json-schema.org/draft/2020-12/json-schema-core>, section 8.1.1).
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// Patterns that are valid. A text is not matched here, but a value that is not a text fits any
/// valid pattern.
const PATTERNS: [&str; 2] = [SIZE_PATTERN, TIME_PATTERN];
/// The maximum number of steps for one question: schemas that are read, values that are compared
/// with one, and items of lists in it. Combinators and references can multiply them.
const MAX_STEPS: usize = 10_000;
/// The number of bytes of a text that are compared in one step.
const BYTES_PER_STEP: usize = 128;
/// The maximum nesting depth of schemas and of values.
const MAX_DEPTH: usize = 64;

/// Returns whether the schema is valid, has only keywords that are known here, and the value fits
/// it. If not, only the evaluator knows the answer.
pub(super) fn fits(schema: &Value, value: &Value) -> bool {
    let reader = Reader {
        root: schema,
        steps: Cell::new(0),
    };
    reader.check(schema, 0).is_some() && reader.fits(schema, value, 0) == Some(true)
}

/// Reads one schema. Its answers are `None` for everything that is left to the evaluator.
struct Reader<'s> {
    root: &'s Value,
    steps: Cell<usize>,
}

impl<'s> Reader<'s> {
    /// Counts steps, up to the limit.
    fn step(&self, count: usize) -> Option<()> {
        self.steps.set(self.steps.get().saturating_add(count));
        (self.steps.get() <= MAX_STEPS).then_some(())
    }

    /// Counts a step at this depth, up to the limits.
    fn enter(&self, depth: usize, count: usize) -> Option<()> {
        self.step(count)?;
        (depth <= MAX_DEPTH).then_some(())
    }

    /// Checks that the schema and all schemas in it are valid and have only known keywords.
    fn check(&self, schema: &'s Value, depth: usize) -> Option<()> {
        self.enter(depth, 1)?;
        let keywords = match schema {
            Value::Bool(_) => return Some(()),
            schema => schema.as_object()?,
        };
        let inner = |schema: &'s Value| self.check(schema, depth + 1);
        keywords.iter().try_for_each(|(keyword, argument)| {
            let is_known = match keyword.as_str() {
                "$schema" => std::ptr::eq(schema, self.root) && argument == DIALECT,
                "$comment" | "description" | "format" | "title" => argument.is_string(),
                "default" => true,
                "examples" => argument.is_array(),
                "deprecated" | "readOnly" | "writeOnly" => argument.is_boolean(),
                "$defs" | "properties" => {
                    return argument.as_object()?.values().try_for_each(inner);
                }
                "items" | "additionalProperties" => return inner(argument),
                "allOf" | "anyOf" | "oneOf" => {
                    let schemas = argument.as_array().filter(|all| !all.is_empty())?;
                    return schemas.iter().try_for_each(inner);
                }
                "$ref" => self.definition(argument).is_some(),
                "type" => types(argument).is_some(),
                "required" => are_unique_texts(argument.as_array()?),
                "enum" => self.each(argument)?.iter().all(is_simple),
                "const" => is_simple(argument),
                "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties"
                | "maxProperties" => argument.is_u64(),
                "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
                    integer(argument).is_some()
                }
                "pattern" => PATTERNS.iter().any(|pattern| argument == pattern),
                other => other.starts_with("x-"),
            };
            is_known.then_some(())
        })
    }

    /// Returns the items of a list, and counts a step for each.
    fn each(&self, list: &'s Value) -> Option<&'s [Value]> {
        let items = list.as_array()?;
        self.step(items.len())?;
        Some(items)
    }

    /// Returns whether the value fits a known schema.
    fn fits(&self, schema: &'s Value, value: &Value, depth: usize) -> Option<bool> {
        let text = value.as_str().map_or(0, str::len);
        self.enter(depth, 1 + text / BYTES_PER_STEP)?;
        let keywords = match schema {
            Value::Bool(all) => return Some(*all),
            schema => schema.as_object()?,
        };
        self.step(keywords.len())?;
        for (keyword, argument) in keywords {
            if !self.holds(keyword, argument, keywords, value, depth)? {
                return Some(false);
            }
        }
        Some(true)
    }

    /// Returns whether one keyword of a known schema holds for the value.
    fn holds(
        &self,
        keyword: &str,
        argument: &'s Value,
        siblings: &'s Map<String, Value>,
        value: &Value,
        depth: usize,
    ) -> Option<bool> {
        let fits = |schema: &'s Value, value: &Value| self.fits(schema, value, depth + 1);
        Some(match (keyword, value) {
            ("$ref", _) => fits(self.definition(argument)?, value)?,
            ("type", _) => is_of(&types(argument)?, value)?,
            ("enum", _) => self
                .each(argument)?
                .iter()
                .try_fold(false, |found, one| Some(found || is_equal(one, value)?))?,
            ("const", _) => is_equal(argument, value)?,
            ("allOf", _) => self.matching(argument, value, depth)? == argument.as_array()?.len(),
            ("anyOf", _) => self.matching(argument, value, depth)? > 0,
            ("oneOf", _) => self.matching(argument, value, depth)? == 1,
            ("required", Value::Object(map)) => self
                .each(argument)?
                .iter()
                .all(|name| name.as_str().is_some_and(|name| map.contains_key(name))),
            ("properties", Value::Object(map)) => {
                let declared = argument.as_object()?;
                self.step(declared.len())?;
                declared
                    .iter()
                    .filter_map(|(name, schema)| Some((schema, map.get(name)?)))
                    .try_fold(true, |all, (schema, value)| {
                        Some(all && fits(schema, value)?)
                    })?
            }
            ("additionalProperties", Value::Object(map)) => {
                let declared = siblings.get("properties").and_then(Value::as_object);
                let is_more = |name: &str| declared.is_none_or(|all| !all.contains_key(name));
                self.step(map.len())?;
                map.iter()
                    .filter(|(name, _)| is_more(name))
                    .try_fold(true, |all, (_, value)| Some(all && fits(argument, value)?))?
            }
            ("items", Value::Array(items)) => items
                .iter()
                .try_fold(true, |all, item| Some(all && fits(argument, item)?))?,
            ("minItems", Value::Array(items)) => argument.as_u64()? <= items.len() as u64,
            ("maxItems", Value::Array(items)) => argument.as_u64()? >= items.len() as u64,
            ("minProperties", Value::Object(map)) => argument.as_u64()? <= map.len() as u64,
            ("maxProperties", Value::Object(map)) => argument.as_u64()? >= map.len() as u64,
            ("minLength", Value::String(text)) => argument.as_u64()? <= text.chars().count() as u64,
            ("maxLength", Value::String(text)) => argument.as_u64()? >= text.chars().count() as u64,
            ("minimum", Value::Number(_)) => integer(value)? >= integer(argument)?,
            ("maximum", Value::Number(_)) => integer(value)? <= integer(argument)?,
            ("exclusiveMinimum", Value::Number(_)) => integer(value)? > integer(argument)?,
            ("exclusiveMaximum", Value::Number(_)) => integer(value)? < integer(argument)?,
            ("pattern", Value::String(_)) => return None,
            // Notes, and keywords of values of another type.
            _ => true,
        })
    }

    /// Returns how many of these schemas the value fits.
    fn matching(&self, schemas: &'s Value, value: &Value, depth: usize) -> Option<usize> {
        schemas.as_array()?.iter().try_fold(0, |count, schema| {
            Some(count + usize::from(self.fits(schema, value, depth + 1)?))
        })
    }

    /// Returns the definition that a reference names, if it is in the root's `$defs` and its name
    /// needs no escapes.
    fn definition(&self, reference: &Value) -> Option<&'s Value> {
        let name = reference.as_str()?.strip_prefix("#/$defs/")?;
        self.step(name.len() / BYTES_PER_STEP)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let is_name = !name.is_empty() && name.bytes().all(is_plain);
        self.root.get("$defs")?.get(name).filter(|_| is_name)
    }
}
