use std::fmt::Write;

use sidestep_contract::{Command, quoted};

use super::characters::is_hidden;
use super::commands::without_markers;
use super::text::Text;

/// Returns the text as one word of a command for a POSIX shell: as it is where nothing in it means
/// anything to a shell, else in quotes.
///
/// What can't be shown as it is stands in the quotes of POSIX.1-2024 that take escapes
/// (`$'\033'`; XCU, 2.2.4), by its bytes, so that the command has the exact text all the same.
pub fn shell_word(text: &(impl Text + ?Sized)) -> String {
    let word = text.text();
    let shown = !word.chars().any(is_hidden) && without_markers(word.to_owned(), "") == word;
    if shown {
        return quoted(word);
    }
    let mut escaped = String::new();
    for character in word.chars() {
        match character {
            '\'' | '\\' => {
                escaped.push('\\');
                escaped.push(character);
            }
            hidden if is_hidden(hidden) => {
                for byte in hidden.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(escaped, "\\{byte:03o}");
                }
            }
            other => escaped.push(other),
        }
    }
    format!("$'{}'", without_markers(escaped, "\\043"))
}

/// Returns a command as one line for a POSIX shell, each of its words as [`shell_word`] writes it.
pub fn command(command: &Command) -> String {
    command.written(shell_word)
}
