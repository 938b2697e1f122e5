//! Flags (`--name=value`) after an instruction's keyword: they are split off the line, and checked
//! against those of the instruction.

use crate::{Error, Word, suggest::suggestion};

/// A flag of an instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The flag's name, without the dashes.
    pub name: String,
    /// The value after the `=`, if there is one.
    pub value: Option<String>,
    /// The byte offset of its dashes in the Dockerfile.
    pub at: usize,
}

impl Flag {
    /// Returns whether a switch is on.
    pub fn is_on(&self) -> bool {
        self.value
            .as_deref()
            .is_none_or(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// The kind of a flag's value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// No value, `true` or `false`.
    Switch,
    /// A value.
    Value,
    /// A value; the flag may be repeated.
    Values,
}
use Takes::{Switch, Value, Values};

/// Returns the flags of an instruction, by its keyword in lower case; `None` means that its flags
/// are not checked.
pub(crate) fn known(keyword: &str) -> Option<&'static [(&'static str, Takes)]> {
    Some(match keyword {
        "add" => &[
            ("chown", Value),
            ("chmod", Value),
            ("link", Switch),
            ("keep-git-dir", Switch),
            ("checksum", Value),
            ("unpack", Switch),
            ("exclude", Values),
        ],
        "copy" => &[
            ("chown", Value),
            ("from", Value),
            ("chmod", Value),
            ("link", Switch),
            ("exclude", Values),
            ("parents", Switch),
        ],
        "from" => &[("platform", Value)],
        "healthcheck" => &[
            ("interval", Value),
            ("timeout", Value),
            ("start-period", Value),
            ("start-interval", Value),
            ("retries", Value),
        ],
        "run" => &[
            ("device", Values),
            ("mount", Values),
            ("network", Value),
            ("security", Value),
        ],
        "arg" | "stopsignal" => return None,
        _ => &[],
    })
}

/// Checks flags against the known ones.
pub(crate) fn check(flags: &[Flag], known: &[(&str, Takes)]) -> Result<(), Error> {
    for (index, flag) in flags.iter().enumerate() {
        let name = &flag.name;
        let fault = |message: String| Err(Error::new(flag.at, message));
        let Some((_, takes)) = known.iter().find(|(known, _)| known == name) else {
            let near = suggestion(name, known.iter().map(|(known, _)| *known), true);
            return fault(format!("unknown flag: --{name}{near}"));
        };
        if *takes != Values && flags[..index].iter().any(|other| other.name == *name) {
            return fault(format!("duplicate flag specified: --{name}"));
        }
        match (takes, flag.value.as_deref()) {
            (Value | Values, None) | (Switch, Some("")) => {
                return fault(format!("missing a value on flag: --{name}"));
            }
            (Switch, Some(value)) if !["true", "false"].contains(&&*value.to_lowercase()) => {
                return fault(format!(
                    "expecting boolean value for flag --{name}, not: {value}"
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Splits the flags off the text after a keyword. Returns each with its offset in that text, and
/// the offset of the rest.
pub(crate) fn split(text: &str, escape: char) -> (Vec<Word>, usize) {
    let mut flags = Vec::new();
    let mut chars = text.char_indices().peekable();
    loop {
        while chars.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        let start = chars.peek().map_or(text.len(), |(at, _)| *at);
        if !text[start..].starts_with("--") {
            return (flags, start);
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some((_, c)) = chars.peek().copied() {
            if quote.is_none() && c.is_whitespace() {
                break;
            }
            chars.next();
            match c {
                c if Some(c) == quote => quote = None,
                '"' | '\'' if quote.is_none() => quote = Some(c),
                c if c == escape => word.extend(chars.next().map(|(_, next)| next)),
                c => word.push(c),
            }
        }
        if word == "--" {
            let rest = chars.peek().map_or(text.len(), |(at, _)| *at);
            return (flags, rest);
        }
        flags.push(Word {
            text: word,
            at: start,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_end_where_something_else_begins() {
        let read = |text: &str| {
            let (flags, rest) = split(text, '\\');
            let flags: Vec<String> = flags.into_iter().map(|flag| flag.text).collect();
            (flags.join("|"), text[rest..].to_owned())
        };
        assert_eq!(
            read("--a=b  --c x --d"),
            ("--a=b|--c".to_owned(), "x --d".to_owned())
        );
        assert_eq!(read("--a='b c' x"), ("--a=b c".to_owned(), "x".to_owned()));
        assert_eq!(read("--a -- --b"), ("--a".to_owned(), " --b".to_owned()));
        assert_eq!(read("-x"), (String::new(), "-x".to_owned()));
    }

    #[test]
    fn each_is_held_against_what_is_known() {
        let fault = |text: &str| {
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (text, None),
            };
            let flag = Flag {
                name: name.to_owned(),
                value,
                at: 0,
            };
            check(&[flag], known("copy").expect("flags"))
                .err()
                .map(|error| error.message)
        };
        assert_eq!(fault("link"), None);
        assert_eq!(fault("link=TRUE"), None);
        assert_eq!(
            fault("linc").as_deref(),
            Some("unknown flag: --linc (did you mean link?)")
        );
        assert_eq!(
            fault("from").as_deref(),
            Some("missing a value on flag: --from")
        );
        assert_eq!(
            fault("link=maybe").as_deref(),
            Some("expecting boolean value for flag --link, not: maybe")
        );
    }
}
