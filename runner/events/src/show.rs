//! Shows untrusted text: one function for each medium, and no other way to a screen.
//!
//! On a terminal and in a CI system's log, control characters and invisible characters are shown as
//! escapes (`\u{1b}`), and no line can be mistaken for a command. JSON keeps the exact text.

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

/// Returns whether a character is invisible: a control character, or one without width.
pub fn is_unseen(character: char) -> bool {
    is_hidden(character) || commands::is_ignorable(character)
}

/// Returns the text as a part of one line on a terminal or in a CI system's log.
///
/// Every control, format and bidirectional character, and every line separator, is shown as an
/// escape. A line end at the end of the text is dropped.
pub fn line(text: &(impl Text + ?Sized)) -> String {
    escaped(text.text().trim_end_matches(['\r', '\n']), |_| false)
}

/// Returns whether a part of the text is shown as an escape.
pub(crate) fn is_escaped(text: &str) -> bool {
    text.chars().any(is_hidden)
}

/// Returns a value as a part of one line: a text unchanged, anything else as JSON.
pub fn value(value: &ForeignValue) -> String {
    match value.exact() {
        Value::String(text) => line(text),
        other => json(other).unwrap_or_default(),
    }
}

/// Returns a command for the middle of a sentence, or an empty text if there is none.
pub fn command_or_nothing(of: Option<&Command>) -> String {
    of.map(command).unwrap_or_default()
}

/// Returns a step of help as lines: the lines of a sentence, or the one line of a command.
pub fn help(help: &Help) -> Vec<String> {
    match help {
        Help::Text(text) => text.lines().map(|text: Foreign| line(&text)).collect(),
        Help::Command(one) => vec![command(one)],
    }
}

/// Returns a file's name as a part of one line. Everything that is not UTF-8 becomes U+FFFD.
pub fn path(path: &Path) -> String {
    line(&*path.to_string_lossy())
}

/// Returns a text of several lines for a terminal or a CI system's log: `first` is the prefix of
/// its first line, `next` of each other line. Both hold a visible character, because CI systems
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

/// Returns a log line. It is like [`line()`], but drops well-formed colour sequences and keeps tabs.
pub fn log_line(text: &(impl Text + ?Sized)) -> String {
    let text = text.text().trim_end_matches(['\r', '\n']);
    escaped(&characters::without_colors(text), |c| c == '\t')
}

/// Returns lines of a file as shown under a diagnostic: line ends (as `\n`) and tabs stay for the
/// caller to lay out. The text before a place takes as many bytes as this function returns for it.
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
