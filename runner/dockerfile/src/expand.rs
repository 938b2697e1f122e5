//! Variables and quotes in a word, as BuildKit's frontend/dockerfile/shell replaces them.

use crate::glob::Glob;

/// Gives a variable's value.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A word, expanded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expand {
    /// The word, with its variables replaced and its quotes gone.
    pub text: String,
    /// The variables that it asks for, in order.
    pub asked: Vec<String>,
    /// Those that are not set, and that nothing stands in for.
    pub unset: Vec<String>,
}

/// Replaces a word's variables: `$NAME`, `${NAME}`, and with `-`, `+`, `?` (each with a colon too),
/// `#`, `##`, `%`, `%%`, `/` and `//`. The escape is always the backslash, since kaniko asks for
/// that whatever the file's directive says.
///
/// The error is the parser's, for what is no substitution or one with `?` that is not set.
pub fn expand(word: &str, lookup: Lookup<'_>) -> Result<Expand, String> {
    let mut lexer = Lexer::new(word, lookup);
    match lexer.until(None, false) {
        Ok((text, _)) => Ok(Expand {
            text,
            asked: lexer.asked,
            unset: lexer.unset,
        }),
        Err(why) => Err(format!("failed to process {word:?}: {why}")),
    }
}

/// Whether a word has variables in it, and so is not known from the file alone.
pub fn variables(word: &str) -> bool {
    expand(word, &|_| None).map_or(true, |expanded| !expanded.asked.is_empty())
}

/// A line's words as here-documents are looked for in them: quotes and escapes stay.
pub(crate) fn raw_words(line: &str) -> Option<Vec<String>> {
    let mut lexer = Lexer::new(line, &|_| None);
    lexer.raw_quotes = true;
    lexer.skips_unset = true;
    let (_, words) = lexer.until(None, true).ok()?;
    Some(words)
}

/// A here-document's name, with its quotes or without.
pub(crate) fn name_words(text: &str, raw_quotes: bool) -> Result<Vec<String>, String> {
    let mut lexer = Lexer::new(text, &|_| None);
    lexer.raw_quotes = raw_quotes;
    lexer.skips_unset = true;
    match lexer.until(None, false) {
        Ok((_, words)) => Ok(words),
        Err(why) => Err(format!("failed to process {text:?}: {why}")),
    }
}

struct Lexer<'a> {
    chars: Vec<char>,
    at: usize,
    lookup: Lookup<'a>,
    raw_quotes: bool,
    skips_unset: bool,
    /// How many parts of substitutions were read.
    parts: usize,
    asked: Vec<String>,
    unset: Vec<String>,
}

/// Words between white space.
#[derive(Default)]
struct Splitter {
    word: String,
    words: Vec<String>,
}

impl Splitter {
    fn push(&mut self, c: char) {
        if !c.is_whitespace() {
            self.word.push(c);
        } else if !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
    }

    /// The parser keeps the words of a substitution's parts where it keeps this one, and so loses
    /// what it had of it.
    fn forget(&mut self, seen: &mut usize, parts: usize) {
        if std::mem::replace(seen, parts) != parts {
            self.word.clear();
        }
    }

    fn end(mut self) -> Vec<String> {
        self.push(' ');
        self.words
    }
}

impl<'a> Lexer<'a> {
    fn new(text: &str, lookup: Lookup<'a>) -> Self {
        Self {
            chars: text.chars().collect(),
            at: 0,
            lookup,
            raw_quotes: false,
            skips_unset: false,
            parts: 0,
            asked: Vec::new(),
            unset: Vec::new(),
        }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn next_if(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    /// Up to a character, or the end: the text, and its words.
    fn until(&mut self, stop: Option<char>, raw: bool) -> Result<(String, Vec<String>), String> {
        let mut text = String::new();
        let mut words = Splitter::default();
        let mut parts = self.parts;
        while let Some(c) = self.next() {
            if Some(c) == stop {
                return Ok((text, words.end()));
            }
            match c {
                '\'' => {
                    let quoted = self.single_quoted()?;
                    text.push_str(&quoted);
                    words.word.push_str(&quoted);
                }
                '"' => {
                    let quoted = self.double_quoted(raw)?;
                    words.forget(&mut parts, self.parts);
                    text.push_str(&quoted);
                    words.word.push_str(&quoted);
                }
                '$' => {
                    let value = self.dollar()?;
                    words.forget(&mut parts, self.parts);
                    text.push_str(&value);
                    value.chars().for_each(|c| words.push(c));
                }
                '<' if self.next_if('<') => {
                    let mut mark = "<<".to_owned();
                    while let Some(blank) = self.peek().filter(|c| matches!(c, '\t' | '\r' | ' ')) {
                        self.at += 1;
                        mark.push(blank);
                    }
                    text.push_str(&mark);
                    words.word.push_str(&mark);
                }
                '\\' => {
                    if raw {
                        text.push(c);
                        words.word.push(c);
                    }
                    let Some(next) = self.next() else { break };
                    text.push(next);
                    words.word.push(next);
                }
                c => {
                    text.push(c);
                    words.push(c);
                }
            }
        }
        match stop {
            None => Ok((text, words.end())),
            Some(stop) => Err(format!(
                "unexpected end of statement while looking for matching {stop}"
            )),
        }
    }

    fn quote(&self, quote: char) -> String {
        if self.raw_quotes {
            quote.to_string()
        } else {
            String::new()
        }
    }

    fn single_quoted(&mut self) -> Result<String, String> {
        let mut text = self.quote('\'');
        while let Some(c) = self.next() {
            if c == '\'' {
                return Ok(text + &self.quote('\''));
            }
            text.push(c);
        }
        Err("unexpected end of statement while looking for matching single-quote".to_owned())
    }

    fn double_quoted(&mut self, raw: bool) -> Result<String, String> {
        let mut text = self.quote('"');
        while let Some(c) = self.next() {
            match c {
                '"' => return Ok(text + &self.quote('"')),
                '$' => text.push_str(&self.dollar()?),
                '\\' => {
                    if raw {
                        text.push(c);
                    }
                    match self.peek() {
                        None => {}
                        Some(next @ ('"' | '$' | '\\')) => {
                            self.at += 1;
                            text.push(next);
                        }
                        Some(_) => text.push(c),
                    }
                }
                c => text.push(c),
            }
        }
        Err("unexpected end of statement while looking for matching double-quote".to_owned())
    }

    fn name(&mut self) -> String {
        let start = self.at;
        let take = |lexer: &mut Self, fits: fn(char) -> bool| {
            while lexer.peek().is_some_and(fits) {
                lexer.at += 1;
            }
        };
        match self.peek() {
            Some(c) if c.is_numeric() => take(self, char::is_numeric),
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => self.at += 1,
            _ => take(self, |c| c.is_alphanumeric() || c == '_'),
        }
        self.chars[start..self.at].iter().collect()
    }

    fn value(&mut self, name: &str) -> Option<String> {
        self.asked.push(name.to_owned());
        (self.lookup)(name)
    }

    /// A value that nothing stands in for.
    fn plain(&mut self, name: &str, written: String) -> String {
        match self.value(name) {
            Some(value) => value,
            None if self.skips_unset => written,
            None => {
                self.unset.push(name.to_owned());
                String::new()
            }
        }
    }

    fn dollar(&mut self) -> Result<String, String> {
        if !self.next_if('{') {
            let name = self.name();
            return Ok(if name.is_empty() {
                "$".to_owned()
            } else {
                self.plain(&name, format!("${name}"))
            });
        }
        match self.peek() {
            None => return Err("syntax error: missing '}'".to_owned()),
            Some('{' | '}' | ':') => return Err("syntax error: bad substitution".to_owned()),
            Some(_) => {}
        }
        let name = self.name();
        let unsupported =
            |modifier: String| Err(format!("unsupported modifier ({modifier}) in substitution"));
        match self.next() {
            Some('}') => Ok(self.plain(&name, format!("${{{name}}}"))),
            Some('/') => self.replaced(&name),
            Some(c @ ('+' | '-' | '?' | '#' | '%')) => self.modified(&name, c, false),
            Some(':') => match self.next() {
                Some(c @ ('+' | '-' | '?')) => self.modified(&name, c, true),
                other => {
                    self.part('}', false)?;
                    unsupported(format!(":{}", other.unwrap_or('\u{fffd}')))
                }
            },
            Some(c) => unsupported(c.to_string()),
            None => unsupported("\u{fffd}".to_owned()),
        }
    }

    /// Up to what ends a part of a substitution.
    fn part(&mut self, stop: char, raw: bool) -> Result<String, String> {
        self.parts += 1;
        match self.until(Some(stop), raw) {
            Ok((text, _)) => Ok(text),
            Err(_) if self.peek().is_none() && stop == '/' => {
                Err("syntax error: missing '/' in ${}".to_owned())
            }
            Err(_) if self.peek().is_none() => Err("syntax error: missing '}'".to_owned()),
            Err(why) => Err(why),
        }
    }

    /// `${NAME-word}` and its kin. `full`: with a colon, an empty value counts as none.
    fn modified(&mut self, name: &str, modifier: char, full: bool) -> Result<String, String> {
        let unset = self.unset.len();
        let mut word = self.part('}', matches!(modifier, '#' | '%'))?;
        let set = self.value(name);
        if set.is_none() && self.skips_unset {
            let colon = if full { ":" } else { "" };
            return Ok(format!("${{{name}{colon}{modifier}{word}}}"));
        }
        let value = set.filter(|value| !full || !value.is_empty());
        // What a word that is not used lacks is no matter.
        if value.is_some() != (modifier == '+') {
            self.unset.truncate(unset);
        }
        match modifier {
            '-' => Ok(value.unwrap_or(word)),
            '+' => Ok(value.map(|_| word).unwrap_or_default()),
            '?' => value.ok_or_else(|| {
                if word.is_empty() {
                    let state = if full { "empty" } else { "unset" };
                    word = format!("is not allowed to be {state}");
                }
                format!("{name}: {word}")
            }),
            _ => {
                let longest = word.starts_with(modifier);
                let glob = Glob::new(word.strip_prefix(modifier).unwrap_or(&word))?;
                if value.is_none() {
                    self.unset.push(name.to_owned());
                }
                let value: Vec<char> = value.unwrap_or_default().chars().collect();
                let rest = if modifier == '#' {
                    &value[glob.prefix(&value, longest).unwrap_or(0)..]
                } else {
                    &value[..value.len() - glob.suffix(&value, longest).unwrap_or(0)]
                };
                Ok(rest.iter().collect())
            }
        }
    }

    /// `${NAME/pattern/replacement}`.
    fn replaced(&mut self, name: &str) -> Result<String, String> {
        let all = self.next_if('/');
        let pattern = self.part('/', true)?;
        let with = self.part('}', true)?;
        let value = self.plain(name, format!("${{{name}/{pattern}/{with}}}"));
        Ok(Glob::new(&pattern)?.replace(&value, &with, all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "A" => Some("a b".to_owned()),
            "E" => Some(String::new()),
            "V" => Some("1.22.3".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn every_form_is_replaced() {
        let cases = [
            ("$A/x", "a b/x"),
            ("${A}x", "a bx"),
            ("$Ax", ""),
            ("${N:-d}", "d"),
            ("${E:-d}", "d"),
            ("${E-d}", ""),
            ("${A:+y}", "y"),
            ("${N:+y}", ""),
            ("${N:-${A}}", "a b"),
            ("'$A'", "$A"),
            ("\"$A\"", "a b"),
            (r"\$A", "$A"),
            (r#""\n""#, r"\n"),
            ("$", "$"),
            ("a$", "a$"),
            (r"a\ b", "a b"),
            ("${V%.*}", "1.22"),
            ("${V%%.*}", "1"),
            ("${V#*.}", "22.3"),
            ("${V##*.}", "3"),
            ("${V/./-}", "1-22.3"),
            ("${V//./-}", "1-22-3"),
            ("a<b", "a<b"),
        ];
        for (word, want) in cases {
            assert_eq!(expand(word, &lookup).expect(word).text, want, "{word}");
        }
    }

    #[test]
    fn what_is_no_substitution_is_refused_in_the_parsers_words() {
        let why = |word: &str| expand(word, &lookup).expect_err(word);
        assert_eq!(
            why("${"),
            "failed to process \"${\": syntax error: missing '}'"
        );
        assert_eq!(
            why("${}"),
            "failed to process \"${}\": syntax error: bad substitution"
        );
        assert_eq!(
            why("${A"),
            "failed to process \"${A\": unsupported modifier (\u{fffd}) in substitution"
        );
        assert_eq!(
            why("${N?}"),
            "failed to process \"${N?}\": N: is not allowed to be unset"
        );
        assert_eq!(
            why("${E:?say it}"),
            "failed to process \"${E:?say it}\": E: say it"
        );
        assert!(why("'a").ends_with("looking for matching single-quote"));
    }

    #[test]
    fn what_is_not_set_is_told_where_it_counts() {
        let unset = |word: &str| expand(word, &lookup).expect(word).unset;
        assert_eq!(unset("x:$N"), ["N"]);
        assert!(unset("${N:-d}").is_empty());
        assert!(unset("${A:-$N}").is_empty(), "the word is not used");
        assert_eq!(unset("${M:-$N}"), ["N"]);
        assert!(unset("${M:+$N}").is_empty());
        assert_eq!(unset("${A:+$N}"), ["N"]);
        assert_eq!(
            expand("${N:-d}$A", &lookup).expect("read").asked,
            ["N", "A"]
        );
    }
}
