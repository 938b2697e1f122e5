//! `FROM`, `ARG`, `COPY`, `ADD` and `ONBUILD`.

use std::sync::Arc;

use super::{at_least_one, fault};
use crate::{Copying, Error, From, Heredoc, Source, Variable, Word, node::Node};

pub(super) fn copying(
    mut words: Vec<Word>,
    heredocs: &[Heredoc],
    name: &str,
) -> Result<Copying, Error> {
    let of_word = |word: &Word| Heredoc::of_word(&word.text).ok().flatten();
    let destination = words.pop().expect("two words, as was just asked");
    if of_word(&destination).is_some() {
        let message = format!("{name} cannot accept a heredoc as a destination");
        return Err(Error::new(destination.at, message));
    }
    let sources = words.into_iter().map(|word| match of_word(&word) {
        // Of two here-documents with one name, the last applies.
        Some(begun) => {
            let read = heredocs.iter().rfind(|read| read.name == begun.name);
            Source::Heredoc(Heredoc {
                text: read.map(|read| Arc::clone(&read.text)).unwrap_or_default(),
                at: read.map_or(word.at, |read| read.at),
                ..begun
            })
        }
        None => Source::Path(word),
    });
    Ok(Copying {
        sources: sources.collect(),
        destination,
    })
}

pub(super) fn arguments(words: Vec<Word>) -> Result<Vec<Variable>, Error> {
    if words.is_empty() {
        return at_least_one("ARG");
    }
    let variables = words
        .into_iter()
        .map(|word| match word.text.split_once('=') {
            Some(("", _)) => Err(Error::new(word.at, "ARG names can not be blank")),
            Some((name, default)) => Ok(Variable {
                default: Some(Word {
                    text: default.to_owned(),
                    at: word.at + name.len() + 1,
                }),
                name: Word {
                    text: name.to_owned(),
                    at: word.at,
                },
            }),
            None => Ok(Variable {
                name: word,
                default: None,
            }),
        });
    variables.collect()
}

pub(super) fn from(words: Vec<Word>) -> Result<From, Error> {
    let mut words = words.into_iter();
    let (image, as_, name) = (words.next(), words.next(), words.next());
    let name = match (as_, name, words.next()) {
        (None, _, _) => None,
        (Some(as_), Some(name), None) if as_.text.eq_ignore_ascii_case("as") => {
            if !is_stage_name(&name.text) {
                let message = format!(
                    "invalid name for build stage: {:?}, name can't start with a number or contain symbols",
                    name.text
                );
                return Err(Error::new(name.at, message));
            }
            Some(name)
        }
        _ => return fault("FROM requires either one or three arguments"),
    };
    match image {
        Some(image) => Ok(From { image, name }),
        None => fault("FROM requires either one or three arguments"),
    }
}

fn is_stage_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

pub(super) fn onbuild(trigger: &Node, heredocs: &[Heredoc]) -> Result<String, Error> {
    match trigger.keyword.text.to_uppercase().as_str() {
        "ONBUILD" => {
            return Err(Error::new(
                trigger.keyword.at,
                "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed",
            ));
        }
        keyword @ ("MAINTAINER" | "FROM") => {
            let message = format!("{keyword} isn't allowed as an ONBUILD trigger");
            return Err(Error::new(trigger.keyword.at, message));
        }
        _ => {}
    }
    let mut text = trigger.text.clone();
    for heredoc in heredocs {
        text.push('\n');
        text.push_str(&heredoc.text);
        text.push_str(&heredoc.name);
    }
    Ok(text)
}
