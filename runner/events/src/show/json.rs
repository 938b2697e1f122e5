use std::fmt::Write;

use serde::Serialize;

use super::characters::is_hidden;
use super::commands::without_markers;

/// Returns a value as one line of JSON with the exact texts, in characters that are always visible:
/// controls, format characters and line separators are `\uXXXX`.
pub fn json(value: &(impl Serialize + ?Sized)) -> serde_json::Result<String> {
    Ok(visible(&serde_json::to_string(value)?))
}

/// Returns the same with indented lines.
pub fn json_pretty(value: &(impl Serialize + ?Sized)) -> serde_json::Result<String> {
    Ok(visible(&serde_json::to_string_pretty(value)?))
}

/// Escapes invisible characters of a JSON text. These characters, and `#`, only occur in its
/// strings, where a character and its escape are equivalent (RFC 8259, section 7).
fn visible(json: &str) -> String {
    let mut visible = String::with_capacity(json.len());
    for character in json.chars() {
        // A line end between JSON tokens: in a string it is already `\n`.
        if is_hidden(character) && character != '\n' {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(visible, "\\u{unit:04x}");
            }
        } else {
            visible.push(character);
        }
    }
    without_markers(visible, "\\u0023")
}
