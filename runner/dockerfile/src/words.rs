//! The splitting of the rest of a line into words: by spaces, by unquoted spaces, or as a JSON
//! list.

/// A text and its position in the Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The text as written, with its variables and quotes.
    pub text: String,
    /// The byte offset in the Dockerfile.
    pub at: usize,
}

/// Returns whether a character separates words: `[\t\v\f\r ]`.
pub(crate) fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ')
}

/// Splits a text into words at blanks, each with its offset.
pub(crate) fn by_blanks(text: &str) -> Vec<(usize, &str)> {
    text.split(is_blank)
        .map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
        .filter(|(_, word)| !word.is_empty())
        .collect()
}

/// Splits a text into words at white space that is neither quoted nor escaped; quotes and escapes
/// are kept.
pub(crate) fn by_quotes(text: &str, escape: char) -> Vec<(usize, String)> {
    let mut words = Vec::new();
    let mut word: Option<(usize, String)> = None;
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if quote.is_none() && c.is_whitespace() {
            words.extend(word.take());
            continue;
        }
        let (_, out) = word.get_or_insert_with(|| (at, String::new()));
        if c == escape && quote != Some('\'') {
            // At the end of the line it has no meaning.
            if let Some((_, next)) = chars.next() {
                out.extend([c, next]);
            }
            continue;
        }
        match quote {
            None if c == '"' || c == '\'' => quote = Some(c),
            Some(open) if open == c => quote = None,
            _ => {}
        }
        out.push(c);
    }
    words.extend(word);
    words.retain(|(_, word)| !word.is_empty());
    words
}

/// The rest of a line, as a possible JSON list.
pub(crate) enum Json {
    /// A list of strings.
    List(Vec<String>),
    /// A list with other values.
    Mixed,
    /// Not a JSON list.
    No,
}

/// Parses a JSON list of strings.
pub(crate) fn json(text: &str) -> Json {
    let text = text.trim_start();
    if !text.starts_with('[') {
        return Json::No;
    }
    let Ok(items) = serde_json::from_str::<Vec<serde_json::Value>>(text) else {
        return Json::No;
    };
    let count = items.len();
    let texts: Vec<String> = items
        .into_iter()
        .filter_map(|item| match item {
            serde_json::Value::String(text) => Some(text),
            _ => None,
        })
        .collect();
    if texts.len() == count {
        Json::List(texts)
    } else {
        Json::Mixed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> Vec<String> {
        by_quotes(text, '\\')
            .into_iter()
            .map(|(_, word)| word)
            .collect()
    }

    #[test]
    fn quotes_and_escapes_hold_words_together() {
        assert_eq!(
            quoted(r#"A=b  C="d e" F=g\ h"#),
            ["A=b", "C=\"d e\"", r"F=g\ h"]
        );
        assert_eq!(quoted(r#""\" x" 'a\' b"#), [r#""\" x""#, r"'a\'", "b"]);
        assert_eq!(quoted(r"a \"), ["a"]);
        assert_eq!(by_blanks(" a\t b"), [(1, "a"), (4, "b")]);
        assert!(by_blanks("").is_empty());
    }

    #[test]
    fn a_list_is_one_of_texts_or_a_fault_or_a_text() {
        assert!(matches!(json(r#"["a", "b"]"#), Json::List(list) if list == ["a", "b"]));
        assert!(matches!(json("[]"), Json::List(list) if list.is_empty()));
        assert!(matches!(json("[\"a\", 1]"), Json::Mixed));
        assert!(matches!(json("['a']"), Json::No));
        assert!(matches!(json("[ -f x ]"), Json::No));
    }
}
