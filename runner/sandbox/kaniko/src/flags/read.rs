//! Parsing of flags, and their usage text.

use super::table::{FLAGS, Flag, Takes};
use std::{collections::BTreeMap, fmt::Write as _};

/// The values of each flag, in order.
pub(super) type Values = BTreeMap<&'static str, Vec<String>>;

/// Reads flags as kaniko's own parser does; the error is its message.
pub(super) fn read(mut args: impl Iterator<Item = String>) -> Result<Values, String> {
    let mut values = Values::new();
    while let Some(arg) = args.next() {
        let (flag, shown, inline) = if let Some(long) = arg.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let flag = FLAGS.iter().find(|flag| flag.name == name);
            (
                flag.ok_or_else(|| format!("unknown flag: --{name}"))?,
                format!("--{name}"),
                value,
            )
        } else if let Some(short) = arg.strip_prefix('-').filter(|short| !short.is_empty()) {
            let letter = short.chars().next().unwrap_or_default();
            let rest = &short[letter.len_utf8()..];
            let flag = FLAGS.iter().find(|flag| flag.short == Some(letter));
            let flag =
                flag.ok_or_else(|| format!("unknown shorthand flag: '{letter}' in -{short}"))?;
            let value = (!rest.is_empty()).then(|| rest.trim_start_matches('=').to_owned());
            (flag, format!("-{letter}"), value)
        } else {
            return Err(format!("unknown command \"{arg}\" for \"executor\""));
        };
        let value = match (flag.takes, inline) {
            (Takes::Bool(_), value) => boolean(value.as_deref().unwrap_or("true"), &shown)?,
            (_, Some(value)) => value,
            (_, None) => args
                .next()
                .ok_or_else(|| format!("flag needs an argument: {shown}"))?,
        };
        values.entry(flag.name).or_default().push(value);
    }
    Ok(values)
}

/// Parses a boolean like Go.
fn boolean(value: &str, shown: &str) -> Result<String, String> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok("true".into()),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok("false".into()),
        _ => Err(format!(
            "invalid argument \"{value}\" for \"{shown}\" flag: strconv.ParseBool: parsing \"{value}\": invalid syntax"
        )),
    }
}

/// Returns the usage text, which follows an error that is found before the build.
pub(crate) fn usage() -> String {
    let mut text = String::from("Usage:\n  executor [flags]\n\nFlags:\n");
    for Flag {
        name,
        short,
        takes,
        help,
    } in FLAGS
    {
        let short = short.map_or_else(|| "    ".to_owned(), |short| format!("-{short}, "));
        let (kind, default) = match takes {
            Takes::Bool(true) => ("", " (default true)".to_owned()),
            Takes::Bool(false) => ("", String::new()),
            Takes::List | Takes::Value("") => (" string", String::new()),
            Takes::Value(default) => (" string", format!(" (default \"{default}\")")),
        };
        let flag = format!("--{name}{kind}");
        writeln!(text, "  {short}{flag:<42} {help}{default}").expect("a String takes all");
    }
    text
}
