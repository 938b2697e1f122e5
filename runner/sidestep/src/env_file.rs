//! Reads `--env-file`: variables for `env` and `secrets` of a pipeline.
//!
//! The grammar has no expansion and no escapes, so each value is in the file as it is used:
//!
//! - A line is `NAME=VALUE`, a comment that begins with `#`, or empty.
//! - NAME is a letter or `_`, then letters, digits and `_`.
//! - VALUE is all that follows `=`. If it begins with a quote (`'` or `"`), it must end with the same
//!   one; the quotes are not part of the value, and the text between them contains no such quote.

use std::collections::BTreeMap;

use sidestep_files::given;
use sidestep_launch::Error;

use crate::cli::Variables;
use crate::session::Session;

/// The maximum size of the file, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Reads the file, if one is named, and makes its variables available to pipelines.
pub(crate) fn take(session: &Session, variables: &Variables) -> Result<(), Error> {
    let Some(file) = &variables.env_file else {
        return Ok(());
    };
    let name = file.display();
    let text =
        given::read_text(&session.site.workspace.join(file), MAX_BYTES).map_err(|error| {
            let help = "name a file of lines NAME=VALUE; paths are relative to the workspace";
            Error::usage(format!("{name} can't be read: {error}"), help)
        })?;
    let variables = read(&text).map_err(|Wrong { line, what, help }| {
        Error::usage(format!("{name}:{line}: {what}"), help)
    })?;
    session.site.environment.set_of_file(variables);
    Ok(())
}

/// The first error of a file. It does not contain the value, which may be a secret.
#[derive(Debug, PartialEq, Eq)]
struct Wrong {
    /// The line, from 1.
    line: usize,
    what: String,
    help: &'static str,
}

fn read(text: &str) -> Result<BTreeMap<String, String>, Wrong> {
    let mut variables = BTreeMap::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        let wrong = |what: String, help| Wrong {
            line: index + 1,
            what,
            help,
        };
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            let help = "write NAME=VALUE, or begin the line with # if it is a comment";
            return Err(wrong("this line has no `=`".to_owned(), help));
        };
        if !is_name(name) {
            let help = "write NAME=VALUE without spaces around the name and without `export`; a \
                        name has letters, digits and `_`";
            let what = "the text before `=` is not the name of a variable";
            return Err(wrong(what.to_owned(), help));
        }
        let Some(value) = unquoted(value) else {
            let what = format!("the value of {name} begins with a quote, but does not end with it");
            let help = "write the value between two quotes that it does not contain, or without \
                        any: nothing else is special";
            return Err(wrong(what, help));
        };
        if variables
            .insert(name.to_owned(), value.to_owned())
            .is_some()
        {
            let what = format!("{name} appears a second time");
            return Err(wrong(what, "remove one of the two lines"));
        }
    }
    Ok(variables)
}

fn is_name(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.chars().all(good) && !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit())
}

fn unquoted(value: &str) -> Option<&str> {
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
        return Some(value);
    };
    let inner = value[1..].strip_suffix(quote)?;
    (!inner.contains(quote)).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_used_as_they_are_written() {
        let text = "\u{feff}# a comment\n\n  # another\nA=1\nB=\nC=a=b #c\nD=' x $A \\n '\nE=\"it's\"\r\n_f2=\t";
        let expected = [
            ("A", "1"),
            ("B", ""),
            ("C", "a=b #c"),
            ("D", " x $A \\n "),
            ("E", "it's"),
            ("_f2", "\t"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read(text), Ok(BTreeMap::from(expected)));
    }

    #[test]
    fn a_wrong_line_is_named_without_its_value() {
        for (text, line, what) in [
            ("A=1\nhunter2", 2, "has no `=`"),
            ("export A=hunter2", 1, "not the name"),
            ("A =hunter2", 1, "not the name"),
            ("=hunter2", 1, "not the name"),
            ("2A=hunter2", 1, "not the name"),
            ("A='hunter2", 1, "begins with a quote"),
            ("A='", 1, "begins with a quote"),
            ("A='hunter2' ", 1, "begins with a quote"),
            ("A='hun'ter2'", 1, "begins with a quote"),
            ("A=1\n\nA=hunter2", 3, "a second time"),
        ] {
            let wrong = read(text).expect_err(text);
            assert_eq!(wrong.line, line, "{text}");
            assert!(wrong.what.contains(what), "{wrong:?}");
            assert!(!format!("{wrong:?}").contains("hunter2"), "{wrong:?}");
        }
    }
}
