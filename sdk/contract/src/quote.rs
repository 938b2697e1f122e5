//! Quotes words for a POSIX shell.

/// Returns the text as one word of a POSIX shell command. The text is quoted only if a character
/// has a meaning to a shell.
pub fn quoted(text: &str) -> String {
    if needs_no_quotes(text) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Returns whether a text needs no quotes. Zsh expands a word that begins with `=`.
fn needs_no_quotes(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+,%=".contains(c);
    !text.is_empty() && !text.starts_with('=') && text.chars().all(plain)
}
