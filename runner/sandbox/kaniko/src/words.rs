/// Splits at spaces that are neither quoted nor escaped; quotes stay.
pub(crate) fn split(text: &str, escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c == escape && quote != Some('\'') => {
                word.push(c);
                word.extend(chars.next());
            }
            '"' | '\'' if quote.is_none() => {
                quote = Some(c);
                word.push(c);
            }
            c if Some(c) == quote => {
                quote = None;
                word.push(c);
            }
            c if c.is_whitespace() && quote.is_none() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// `NAME=VALUE …`, or the old form `NAME VALUE` where the first word has no `=`.
pub(crate) fn pairs(text: &str, escape: char) -> Vec<(String, String)> {
    let words = split(text, escape);
    match words.first() {
        Some(first) if !first.contains('=') => {
            let text = text.trim_start();
            vec![(first.clone(), text[first.len()..].trim().to_owned())]
        }
        _ => words
            .iter()
            .filter_map(|word| word.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_escapes_hold_words_together() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            pairs(r#"A=b  C="d e" F=g\ h"#, '\\'),
            [pair("A", "b"), pair("C", "\"d e\""), pair("F", "g\\ h")]
        );
        assert_eq!(
            pairs("OLD style  value ", '\\'),
            [pair("OLD", "style  value")]
        );
        assert!(pairs("", '\\').is_empty());
    }
}
