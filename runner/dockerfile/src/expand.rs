//! Variables and quotes in a word, as expanded by BuildKit's frontend/dockerfile/shell.

mod substitution;

/// The maximum nesting of substitutions.
const DEEPEST: usize = 100;
/// The maximum size, in bytes, of an expanded word. Linux does not accept a variable of 128 KiB,
/// and a variable that is repeatedly defined as twice itself would fill any memory.
const MOST: usize = 1024 * 1024;

/// Returns a variable's value.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// An expanded word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expand {
    /// The word with variables replaced and quotes removed.
    pub text: String,
    /// The variables that it refers to, in order.
    pub asked: Vec<String>,
    /// The variables that are unset and have no default.
    pub unset: Vec<String>,
}

/// Replaces a word's variables: `$NAME`, `${NAME}`, and with `-`, `+`, `?` (each with a colon too),
/// `#`, `##`, `%`, `%%`, `/` and `//`. The escape is always the backslash, since kaniko uses that
/// whatever the file's directive says.
///
/// The error is the parser's if a substitution is invalid, or has a `?` and is not set. It is our
/// own if the word is nested too deeply or grows too large.
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

/// Returns whether a word has variables, so that its value is not known from the file alone.
pub fn variables(word: &str) -> bool {
    expand(word, &|_| None).map_or(true, |expanded| !expanded.asked.is_empty())
}

/// Returns a line's words for the search for here-documents: quotes and escapes are kept.
pub(crate) fn raw_words(line: &str) -> Option<Vec<String>> {
    let mut lexer = Lexer::new(line, &|_| None);
    lexer.raw_quotes = true;
    lexer.skips_unset = true;
    let (_, words) = lexer.until(None, true).ok()?;
    Some(words)
}

/// Returns the words of a here-document's name, with or without quotes.
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
    /// The number of substitution parts that were read.
    parts: usize,
    /// The number of nested substitutions that are being read.
    depth: usize,
    /// The number of bytes from variables.
    grown: usize,
    asked: Vec<String>,
    unset: Vec<String>,
}

/// A splitter of words at white space.
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

    /// Clears the current word after a substitution. The parser shares one buffer between the words
    /// of a substitution's parts and the current word, and so loses the latter.
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
            depth: 0,
            grown: 0,
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

    /// Reads up to a character, or the end. Returns the text and its words.
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
}

#[cfg(test)]
mod tests;
