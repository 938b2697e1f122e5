use super::characters::{color_sequence, is_hidden, push_escape};
use super::commands::{begins_with_command, without_markers};

/// Returns finished lines in a form that is safe to print. Every line for people passes through
/// this function last.
///
/// Sidestep's own line ends, tabs and colour sequences stay. Untrusted characters that got this far
/// are shown as escapes, and a line that begins like a command is broken. Lines that were made by
/// the other functions of this module pass unchanged.
pub fn sealed(lines: &str) -> String {
    let mut sealed = String::with_capacity(lines.len());
    for line in lines.split_inclusive('\n') {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (line, ""),
        };
        push_line(&mut sealed, line);
        sealed.push_str(end);
    }
    without_markers(sealed, "# ")
}

fn push_line(sealed: &mut String, line: &str) {
    let command = begins_with_command(&super::characters::without_colors(line));
    let mut unbroken = command;
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        if let Some(length) = color_sequence(rest) {
            sealed.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        if is_hidden(character) && character != '\t' {
            push_escape(sealed, character);
        } else {
            sealed.push(character);
        }
        if unbroken && !character.is_whitespace() {
            // `: :set-env` is not a command, and is still readable.
            sealed.push(' ');
            unbroken = false;
        }
        rest = &rest[character.len_utf8()..];
    }
}
