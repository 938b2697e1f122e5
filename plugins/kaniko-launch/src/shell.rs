//! Words of commands, quoted as a POSIX shell takes them.

/// A piece of a word: a text, or the output of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Known here.
    Text(String),
    /// Known to whoever runs the command, which asks for it.
    Asked(String),
}

impl Piece {
    /// A text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The text, where it is one.
    pub(crate) fn known(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Asked(_) => None,
        }
    }
}

/// One word of the pieces; it is quoted where it has to be.
pub(crate) fn word(pieces: &[Piece]) -> String {
    if let Some(text) = pieces.iter().map(Piece::known).collect::<Option<String>>() {
        return quoted(&text);
    }
    let inner: String = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => escaped(text),
            Piece::Asked(command) => format!("$({command})"),
        })
        .collect();
    format!("\"{inner}\"")
}

/// One word of a text.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A text within double quotes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '"' | '\\' | '$' | '`') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_can_t_become_a_command() {
        assert_eq!(quoted("gs://contexts"), "gs://contexts");
        assert_eq!(quoted("$(rm -r .)"), "'$(rm -r .)'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
        let mixed = [
            Piece::text("a$(b)\"`"),
            Piece::Asked("gcloud x".to_owned()),
            Piece::text("[n/s]"),
        ];
        assert_eq!(word(&mixed), r#""a\$(b)\"\`$(gcloud x)[n/s]""#);
        assert_eq!(word(&[Piece::text("p["), Piece::text("n]")]), "'p[n]'");
    }
}
