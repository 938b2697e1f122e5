use std::fmt::Write;

use sidestep_contract::{Command, quoted};

use super::characters::is_hidden;
use super::commands::without_markers;
use super::text::Text;

/// Returns the text as one word of a command for a POSIX shell: unchanged if no character has a
/// meaning for a shell, otherwise quoted.
///
/// Characters that cannot be shown are written by their bytes in the POSIX.1-2024 quotes with
/// escapes (`$'\033'`; XCU, 2.2.4), so that the command still has the exact text.
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
