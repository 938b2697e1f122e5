//! The meaning of plain scalars. If YAML parsers disagree about a scalar, or a text would become
//! another type, the file must quote it.

use serde_json::{Number, Value};
use sidestep_policy::tree::{Scalar, is_null};

/// The type that YAML gives a plain scalar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Plain {
    /// A text for every YAML parser.
    Text,
    /// null.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number with the same value for every YAML parser.
    Number(Number),
    /// A scalar that some YAML parser reads as another type than it looks like; the text names it.
    Trap(&'static str),
}

pub(crate) fn plain(text: &str) -> Plain {
    if is_null(text) {
        return Plain::Null;
    }
    match text {
        "true" => return Plain::Bool(true),
        "false" => return Plain::Bool(false),
        _ => {}
    }
    match text.to_ascii_lowercase().as_str() {
        "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n" => {
            return Plain::Trap("a boolean");
        }
        ".inf" | "-.inf" | "+.inf" | ".nan" => return Plain::Trap("a number"),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Plain::Text;
    }
    if let Ok(value) = serde_json::from_str::<Value>(text)
        && let Value::Number(number) = value
    {
        // As numbers, `1.10` would lose its zero and `1e3` its form.
        return if number.to_string() == text {
            Plain::Number(number)
        } else {
            Plain::Trap("a number")
        };
    }
    let bare = digits.replace('_', "");
    let number = bare.parse::<f64>().is_ok()
        || ["0x", "0o", "0b"].iter().any(|prefix| {
            bare.strip_prefix(prefix)
                .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_hexdigit()))
        });
    // YAML 1.1 has base-60 numbers: `22:22`.
    let sixty = digits.contains(':')
        && digits
            .split(':')
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()));
    if number {
        Plain::Trap("a number")
    } else if sixty {
        Plain::Trap("a number to the base of 60")
    } else {
        Plain::Text
    }
}

/// Returns a scalar as a value of one of the wanted JSON types; an empty list allows any type. An
/// error holds the reason and the fix.
pub(crate) fn value(scalar: &Scalar, wanted: &[&str]) -> Result<Value, (String, String)> {
    let text = &scalar.text;
    if !scalar.plain {
        return Ok(Value::String(text.clone()));
    }
    let wants = |name: &str| wanted.contains(&name);
    let any = wanted.is_empty();
    let quote = |what: &str| {
        let quoted = Value::String(text.clone()).to_string();
        let shown = if text.is_empty() { "nothing" } else { text };
        Err((
            format!("expected a string, but YAML reads `{shown}` as {what}"),
            format!("write {quoted}"),
        ))
    };
    let not = |what: &str| {
        Err((
            format!("expected {}, not {what}", describe(wanted)),
            String::new(),
        ))
    };
    match plain(text) {
        Plain::Text => Ok(Value::String(text.clone())),
        Plain::Null if any || wants("null") => Ok(Value::Null),
        Plain::Null if wants("string") => quote("null"),
        Plain::Null => not("nothing"),
        Plain::Bool(value) if any || wants("boolean") => Ok(Value::Bool(value)),
        Plain::Bool(_) if wants("string") => quote("a boolean"),
        Plain::Bool(_) => not("a boolean"),
        Plain::Number(number)
            if any || wants("number") || (wants("integer") && !number.is_f64()) =>
        {
            Ok(Value::Number(number))
        }
        Plain::Number(_) if wants("string") => quote("a number"),
        Plain::Number(_) => not("a number"),
        Plain::Trap("a boolean") if wants("boolean") => Err((
            format!("only some YAML parsers read `{text}` as a boolean"),
            "write `true` or `false`".to_owned(),
        )),
        Plain::Trap(what) if any => Err((
            format!("YAML reads `{text}` as {what}, which would not keep its spelling"),
            format!("write {} if it is a string", Value::String(text.clone())),
        )),
        Plain::Trap(what) if wants("string") => quote(what),
        Plain::Trap("a number") if wants("number") => {
            match text.parse::<f64>().ok().and_then(Number::from_f64) {
                Some(number) => Ok(Value::Number(number)),
                None => not("this"),
            }
        }
        Plain::Trap("a number") if wants("integer") => Err((
            format!("YAML parsers do not agree on the whole number that `{text}` is"),
            "write it with decimal digits, without a leading zero".to_owned(),
        )),
        Plain::Trap(what) => not(what),
    }
}

fn describe(wanted: &[&str]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in wanted {
        let name = match *name {
            "string" => "a string",
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "true or false",
            "array" => "a list",
            "object" => "a map",
            _ => "nothing",
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: &str, wanted: &[&str]) -> Result<Value, String> {
        let scalar = Scalar {
            text: text.to_owned(),
            plain: true,
            verbatim: None,
        };
        value(&scalar, wanted).map_err(|(_, help)| help)
    }

    #[test]
    fn traps_are_errors_where_a_text_is_wanted() {
        for text in [
            "1.10",
            "010",
            "off",
            "~",
            "",
            "1234567e5",
            "yes",
            "0x1f",
            "1_000",
            "22:22",
            ".5",
            "3",
            "true",
            "True",
            "+1",
        ] {
            let quoted = format!("write {}", json!(text));
            assert_eq!(read(text, &["string"]), Err(quoted), "{text}");
        }
        for text in [
            "1.2.3",
            "v1",
            "30s",
            "512Mi",
            "a: b",
            "2024-01-01",
            "10m",
            "nope",
            "1.2.3.4:80",
        ] {
            assert_eq!(read(text, &["string"]), Ok(json!(text)), "{text}");
        }
    }

    #[test]
    fn plain_numbers_and_booleans_are_what_they_look_like() {
        assert_eq!(read("3", &[]), Ok(json!(3)));
        assert_eq!(read("-1.5", &["number"]), Ok(json!(-1.5)));
        assert_eq!(read("1.10", &["number"]), Ok(json!(1.1)));
        assert_eq!(read("true", &["boolean"]), Ok(json!(true)));
        assert_eq!(
            read("off", &["boolean"]),
            Err("write `true` or `false`".to_owned())
        );
        assert!(read("1.5", &["integer"]).is_err());
        assert!(read("010", &["integer"]).is_err());
        assert!(read("off", &[]).is_err());
        assert_eq!(read("null", &["string", "null"]), Ok(json!(null)));
    }
}
