//! Shows text that strangers wrote: one function for each medium, and no other way to a screen.
//!
//! On a terminal and in a CI system's log, characters that act or that nobody sees are shown as
//! escapes (`\u{1b}`), and nothing in a line can be taken for a command. JSON keeps the exact text.

mod characters;
mod commands;
mod github;
mod json;
mod sealed;
mod shell;
#[cfg(test)]
mod tests;
mod text;

use std::path::Path;

use serde_json::Value;

use characters::{is_hidden, push_escape};
use commands::without_markers;
use text::Text;

use crate::{Command, Foreign, ForeignValue, Help};

pub use github::{github_data, github_property};
pub use json::{json, json_pretty};
pub use sealed::sealed;
pub use shell::{command, shell_word};

/// Returns whether nobody sees a character: it acts, or it has no width.
pub fn is_unseen(character: char) -> bool {
    is_hidden(character) || commands::is_ignorable(character)
}

/// Returns the text as a part of one line on a terminal or in a CI system's log.
///
/// Every control, format and bidirectional character, and every line separator, is shown as an
/// escape. A line end after the text is dropped.
pub fn line(text: &(impl Text + ?Sized)) -> String {
    escaped(text.text().trim_end_matches(['\r', '\n']), |_| false)
}

/// Returns whether something of the text is shown as an escape.
pub(crate) fn is_escaped(text: &str) -> bool {
    text.chars().any(is_hidden)
}

/// Returns a value as a part of one line: a text as it is, anything else as JSON.
pub fn value(value: &ForeignValue) -> String {
    match value.exact() {
        Value::String(text) => line(text),
        other => json(other).unwrap_or_default(),
    }
}

/// Returns a command for the middle of a sentence; nothing if there is none.
pub fn command_or_nothing(of: Option<&Command>) -> String {
    of.map(command).unwrap_or_default()
}

/// Returns a step of help as lines: a sentence's own lines, or a command's one.
pub fn help(help: &Help) -> Vec<String> {
    match help {
        Help::Text(text) => text.lines().map(|text: Foreign| line(&text)).collect(),
        Help::Command(one) => vec![command(one)],
    }
}

/// Returns a file's name as a part of one line. What is not UTF-8 in it is replaced by U+FFFD.
pub fn path(path: &Path) -> String {
    line(&*path.to_string_lossy())
}

/// Returns a text of several lines for a terminal or a CI system's log: `first` stands before its
/// first line, `next` before each of the others. Both hold a visible character, since CI systems
/// look for commands behind blanks.
pub fn block(text: &(impl Text + ?Sized), first: &str, next: &str) -> Vec<String> {
    let mut before = first;
    let mut lines = Vec::new();
    for part in text.text().lines() {
        lines.push(format!("{before}{}", line(part)).trim_end().to_owned());
        before = next;
    }
    lines
}

/// Returns a line of a log. As [`line`], but well-formed colour sequences are dropped, and tabs
/// stay.
pub fn log_line(text: &(impl Text + ?Sized)) -> String {
    let text = text.text().trim_end_matches(['\r', '\n']);
    escaped(&characters::without_colors(text), |c| c == '\t')
}

/// Returns lines of a file, as they are shown under a diagnostic: line ends (as `\n`) and tabs stay
/// for the caller to lay out. Text before a place takes as many bytes as this makes of it.
pub fn excerpt(text: &(impl Text + ?Sized)) -> String {
    let mut shown = String::with_capacity(text.text().len());
    let mut characters = text.text().chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\r' && characters.peek() == Some(&'\n') {
            continue;
        }
        if is_hidden(character) && !matches!(character, '\n' | '\t') {
            push_escape(&mut shown, character);
        } else {
            shown.push(character);
        }
    }
    shown
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) && !stays(character) {
            push_escape(&mut shown, character);
        } else {
            shown.push(character);
        }
    }
    without_markers(shown, "# ")
}
