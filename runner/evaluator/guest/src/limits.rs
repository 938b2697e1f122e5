//! How large an expression and its values may be.

use serde_json::Value;
use sidestep_evaluator::MAX_EXPRESSION;

/// How deep comprehensions (`map`, `filter`, `all`, `exists`) may nest.
pub(crate) const MAX_COMPREHENSION_DEPTH: usize = 2;
/// How many comprehensions one expression may have, nested or one after the other.
pub(crate) const MAX_COMPREHENSIONS: usize = 4;
/// How many `+` an expression with comprehensions may have: a body that adds its variable to
/// itself multiplies what the next one walks over.
pub(crate) const MAX_ADDITIONS: usize = 32;
/// Bytes of a compiled pattern.
pub(crate) const MAX_PATTERN: usize = 1 << 20;
/// How deep brackets may nest.
const MAX_BRACKETS: usize = 32;
/// The longest list or map that a comprehension may meet.
const MAX_ITEMS: usize = 1000;

/// What can be refused before a parser sees it.
pub(crate) fn before_parsing(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("the expression is empty".to_owned());
    }
    if text.len() > MAX_EXPRESSION {
        return Err(format!(
            "the expression has {} bytes; at most {MAX_EXPRESSION} are allowed",
            text.len()
        ));
    }
    let (mut depth, mut quote) = (0_usize, None);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', Some(_)) => {
                characters.next();
            }
            (c, Some(open)) if c == open => quote = None,
            (_, Some(_)) => {}
            ('\'' | '"', None) => quote = Some(character),
            ('(' | '[' | '{', None) => {
                depth += 1;
                if depth > MAX_BRACKETS {
                    return Err(format!("brackets nest more than {MAX_BRACKETS} deep"));
                }
            }
            (')' | ']' | '}', None) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Whether a comprehension may meet the value of this name.
pub(crate) fn of_value(name: &str, value: &Value) -> Result<(), String> {
    let too_long = |len: usize| {
        format!("`{name}` has a list of {len}; an expression goes over at most {MAX_ITEMS}")
    };
    match value {
        Value::Array(items) if items.len() > MAX_ITEMS => Err(too_long(items.len())),
        Value::Array(items) => items.iter().try_for_each(|item| of_value(name, item)),
        Value::Object(map) if map.len() > MAX_ITEMS => Err(too_long(map.len())),
        Value::Object(map) => map.values().try_for_each(|item| of_value(name, item)),
        _ => Ok(()),
    }
}
