//! Control characters and invisible characters.

use std::fmt::Write;

/// Returns whether a character is shown as an escape: a control character (C0, DEL, C1), a format
/// character (bidirectional controls are among these), or a line or paragraph separator.
pub(super) fn is_hidden(character: char) -> bool {
    character.is_control()
        || FORMAT
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&character))
        || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Unicode 17's general category Cf (UnicodeData.txt), with the code points in between that are
/// reserved for it.
const FORMAT: [(char, char); 19] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{fff9}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e007f}'),
];

/// Appends a character as a Rust escape: `\n`, `\u{1b}`.
pub(super) fn push_escape(shown: &mut String, character: char) {
    match character {
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        '\t' => shown.push_str("\\t"),
        other => {
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(other));
        }
    }
}

/// Returns the length of the colour sequence at the beginning of the text: `ESC [`, digits and
/// separators, `m` (Select Graphic Rendition, ECMA-48, 8.3.117).
pub(super) fn color_sequence(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !matches!(c, '0'..='9' | ';' | ':'))?;
    parameters[end..].starts_with('m').then_some(2 + end + 1)
}

/// Returns the text without its well-formed colour sequences.
pub(super) fn without_colors(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let skip = color_sequence(rest).unwrap_or_else(|| {
            plain.push('\u{1b}');
            1
        });
        rest = &rest[skip..];
    }
    plain.push_str(rest);
    plain
}
