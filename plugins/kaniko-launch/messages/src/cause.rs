//! Causes: how they are written, and how a message is matched with them.

use crate::CAUSES;
use crate::final_line::FinalLine;
use crate::kind::Kind;
use crate::phase::Phase;

/// The separators after which a cause may begin: kaniko and Go join errors with them.
const JOINS: &[&str] = &[": ", "; ", "\n"];

/// A cause that has an answer.
///
/// The words begin at the message's start or after a join. `*` matches any text, `{}` matches text
/// that the answer needs, and a final `$` matches the message's end.
#[derive(Debug)]
pub struct Cause {
    /// The phases in which the cause has this meaning.
    pub within: &'static [Phase],
    /// The words to match.
    pub words: &'static str,
    /// The kind of failure.
    pub kind: Kind,
}

/// A cause that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCause {
    /// The kind of failure.
    pub kind: Kind,
    /// The text at `{}`, or all from where the cause begins.
    pub text: String,
    /// Its place in the table.
    pub row: usize,
}

/// Finds the cause of a final error. The first row that matches decides.
pub fn classify(line: &FinalLine) -> Option<FoundCause> {
    let starts = starts(&line.message);
    let rows = CAUSES.iter().enumerate();
    let mut rows = rows.filter(|(_, cause)| cause.within.contains(&line.phase));
    rows.find_map(|(row, cause)| {
        let text = starts
            .iter()
            .find_map(|start| matched(cause.words, start))?;
        Some(FoundCause {
            kind: cause.kind,
            text: text.trim().to_owned(),
            row,
        })
    })
}

/// Returns the rest of the message from each place where a cause may begin.
fn starts(message: &str) -> Vec<&str> {
    let mut starts = vec![message];
    for (at, _) in message.char_indices() {
        let rest = &message[at..];
        if let Some(join) = JOINS.iter().find(|join| rest.starts_with(**join)) {
            starts.push(&rest[join.len()..]);
        }
    }
    starts
}

/// Returns the text that the words capture, if the text begins with them.
fn matched<'a>(words: &str, text: &'a str) -> Option<&'a str> {
    let (words, to_end) = match words.strip_suffix('$') {
        Some(words) => (words, true),
        None => (words, false),
    };
    let mut rest = text;
    let mut caught = None;
    let mut words = words;
    let mut hole: Option<bool> = None;
    loop {
        let end = [words.find('*'), words.find("{}")]
            .into_iter()
            .flatten()
            .min();
        let literal = &words[..end.unwrap_or(words.len())];
        let at = match hole {
            None => rest.starts_with(literal).then_some(0)?,
            Some(_) if literal.is_empty() => rest.len(),
            Some(_) if end.is_none() && to_end => rest
                .ends_with(literal)
                .then(|| rest.len() - literal.len())?,
            Some(_) => rest.find(literal)?,
        };
        if hole == Some(true) {
            caught = Some(&rest[..at]);
        }
        rest = &rest[at + literal.len()..];
        let Some(end) = end else {
            break;
        };
        let catches = words[end..].starts_with("{}");
        hole = Some(catches);
        words = &words[end + if catches { 2 } else { 1 }..];
    }
    if to_end && !rest.trim_end().is_empty() {
        return None;
    }
    Some(caught.unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_catch_what_stands_at_their_hole() {
        for (words, text, caught) in [
            ("a b", "a b c", Some("a b c")),
            ("a {}: x", "a b c: x: y", Some("b c")),
            ("a {}", "a b c", Some("b c")),
            ("a *<{}>", "a <b> c", Some("b")),
            ("*b", "a b c", Some("a b c")),
            ("EOF$", "EOF", Some("EOF")),
            ("EOF$", "EOF of a file", None),
            ("a * b$", "a b b", Some("a b b")),
            ("a", "b a", None),
        ] {
            assert_eq!(matched(words, text), caught, "{words} in {text}");
        }
    }

    #[test]
    fn a_cause_begins_after_a_join_only() {
        assert_eq!(starts("a: b; c\nd"), ["a: b; c\nd", "b; c\nd", "c\nd", "d"]);
    }
}
