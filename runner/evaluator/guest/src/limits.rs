//! The limits on the size of an expression and its values.

use serde_json::Value;

/// The maximum nesting depth of comprehensions (`map`, `filter`, `all`, `exists`).
pub(crate) const MAX_COMPREHENSION_DEPTH: usize = 2;
/// The maximum number of comprehensions in an expression, nested or one after the other.
pub(crate) const MAX_COMPREHENSIONS: usize = 4;
/// The maximum number of `+` in an expression with comprehensions: a body that adds its variable to
/// itself multiplies the items of the next comprehension.
pub(crate) const MAX_ADDITIONS: usize = 32;
/// The maximum size of a compiled pattern, in bytes.
pub(crate) const MAX_PATTERN: usize = 1 << 20;
/// The maximum nesting depth of brackets.
const MAX_BRACKETS: usize = 32;
/// The maximum length of a list or map in an expression with comprehensions.
const MAX_ITEMS: usize = 1000;

/// Rejects expressions that are too large or too deep before they are parsed. `longest` is
/// in bytes.
pub(crate) fn before_parsing(text: &str, longest: usize) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("the expression is empty".to_owned());
    }
    if text.len() > longest {
        return Err(format!(
            "the expression has {} bytes; at most {longest} are allowed",
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

/// Checks the length of the lists and maps in a value that a comprehension may iterate over.
pub(crate) fn of_value(name: &str, value: &Value) -> Result<(), String> {
    let too_long = |len: usize| {
        format!("`{name}` has a list of {len}; an expression iterates over at most {MAX_ITEMS}")
    };
    match value {
        Value::Array(items) if items.len() > MAX_ITEMS => Err(too_long(items.len())),
        Value::Array(items) => items.iter().try_for_each(|item| of_value(name, item)),
        Value::Object(map) if map.len() > MAX_ITEMS => Err(too_long(map.len())),
        Value::Object(map) => map.values().try_for_each(|item| of_value(name, item)),
        _ => Ok(()),
    }
}
