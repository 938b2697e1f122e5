use super::{clean::decode, glob, regexp};
use regex::bytes::Regex;

/// A pattern, ready for matching.
#[derive(Debug)]
pub(super) struct Pattern {
    /// The pattern without its `!`.
    text: Vec<u8>,
    /// Whether it re-includes paths that earlier patterns excluded.
    pub(super) exclusion: bool,
    matcher: Matcher,
}

#[derive(Debug)]
enum Matcher {
    Exact,
    /// `x**`: matches everything that starts with this many bytes of the text.
    Prefix(usize),
    /// `**x`
    Suffix,
    Regex(Box<Regex>),
    /// The pattern passed the first check and does not compile. The reference finds out when it
    /// first uses the pattern, and so the error is returned then.
    Invalid,
}

/// A pattern that the reference rejects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPattern {
    /// `!` alone.
    #[error("`!` needs a pattern after it")]
    LoneBang,
    /// Unclosed brackets, a backslash at the end, a reversed range and the like.
    #[error("the syntax is wrong (an open `[`, a reversed range, or a trailing `\\`?)")]
    Syntax,
}

impl InvalidPattern {
    /// Returns the reason, for people.
    pub fn reason(self) -> &'static str {
        match self {
            Self::LoneBang => "`!` needs a pattern after it",
            Self::Syntax => "an open `[`, a reversed range, or a backslash that escapes nothing",
        }
    }
}

impl Pattern {
    /// Parses a pattern that is trimmed, cleaned and not empty.
    pub(super) fn new(cleaned: &[u8]) -> Result<Self, InvalidPattern> {
        let (text, exclusion) = match cleaned.strip_prefix(b"!") {
            Some(b"") => return Err(InvalidPattern::LoneBang),
            Some(text) => (text, true),
            None => (cleaned, false),
        };
        if !glob::is_well_formed(text) {
            return Err(InvalidPattern::Syntax);
        }
        Ok(Self {
            text: text.to_vec(),
            exclusion,
            matcher: compile(text),
        })
    }

    /// Returns whether the pattern matches this exact path. `Err` if it does not compile.
    pub(super) fn matches(&self, path: &[u8]) -> Result<bool, InvalidPattern> {
        match &self.matcher {
            Matcher::Exact => Ok(path == self.text),
            Matcher::Prefix(length) => Ok(path.starts_with(&self.text[..*length])),
            Matcher::Suffix => {
                let suffix = &self.text[2..];
                Ok(path.ends_with(suffix) || suffix.strip_prefix(b"/") == Some(path))
            }
            Matcher::Regex(regex) => Ok(match std::str::from_utf8(path) {
                Ok(_) => regex.is_match(path),
                Err(_) => regex.is_match(decode(path).as_bytes()),
            }),
            Matcher::Invalid => Err(InvalidPattern::Syntax),
        }
    }

    /// Returns the number of parts of its text.
    pub(super) fn parts(&self) -> usize {
        self.text.split(|&b| b == b'/').count()
    }

    /// Returns whether it compiles, so that using it is not an error.
    pub(super) fn compiles(&self) -> bool {
        !matches!(self.matcher, Matcher::Invalid)
    }

    /// Returns whether it has a wildcard before its end.
    pub(super) fn is_wild(&self) -> bool {
        let wild = |b: &u8| br"*[]?^\".contains(b);
        self.without_trailing_wildcards().iter().any(wild)
    }

    /// Returns its text without a trailing `/**`, and then without a trailing `/*`.
    pub(super) fn without_trailing_wildcards(&self) -> &[u8] {
        let text = self.text.strip_suffix(b"/**").unwrap_or(&self.text);
        text.strip_suffix(b"/*").unwrap_or(text)
    }

    /// Returns whether a path below `folder` may match although `folder` itself does not. It may
    /// return true too often, but never false wrongly.
    pub(super) fn may_match_below(&self, folder: &[u8]) -> bool {
        let below = [folder, b"/"].concat();
        let start = match &self.matcher {
            Matcher::Exact => return self.text.starts_with(&below),
            Matcher::Prefix(length) => &self.text[..*length],
            Matcher::Suffix | Matcher::Invalid => return true,
            Matcher::Regex(_) => {
                // If the text has characters other than literals, stars and question marks, the
                // expression may match anything.
                let plain = |b: &u8| b.is_ascii() && !br"|{}[]\^".contains(b);
                if !self.text.iter().all(plain) {
                    return true;
                }
                if !self.text.windows(2).any(|w| w == b"**") && !deeper(&self.text, folder) {
                    return false;
                }
                let end = self.text.iter().position(|b| b"*?".contains(b));
                &self.text[..end.unwrap_or(self.text.len())]
            }
        };
        start.starts_with(&below) || below.starts_with(start)
    }
}

/// Returns whether a pattern without `**` has more parts than a folder's path, and its parts
/// without a star equal those of the folder.
fn deeper(text: &[u8], folder: &[u8]) -> bool {
    let mut parts = text.split(|&b| b == b'/');
    for part in folder.split(|&b| b == b'/') {
        let fits = |wanted: &[u8]| wanted.iter().any(|b| b"*?".contains(b)) || wanted == part;
        if !parts.next().is_some_and(fits) {
            return false;
        }
    }
    parts.next().is_some()
}

/// Compiles a pattern step by step like the reference, which finds out on the way whether a plain
/// comparison is enough, and otherwise passes an expression to Go's compiler.
fn compile(pattern: &[u8]) -> Matcher {
    let text = decode(pattern);
    // Go's scanner drops a byte order mark at the start.
    let mut chars = text
        .strip_prefix('\u{feff}')
        .unwrap_or(&text)
        .chars()
        .peekable();
    let mut expression = String::from("^");
    let mut matcher = Matcher::Exact;
    let mut is_regex = false;
    let mut first = true;
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                chars.next_if_eq(&'/');
                if chars.peek().is_some() {
                    expression.push_str("(.*/)?");
                    is_regex = true;
                } else if !is_regex && matches!(matcher, Matcher::Exact) {
                    matcher = Matcher::Prefix(pattern.len() - 2);
                } else {
                    expression.push_str(".*");
                    is_regex = true;
                }
                if first {
                    matcher = Matcher::Suffix;
                    is_regex = false;
                }
            }
            '*' => {
                expression.push_str("[^/]*");
                is_regex = true;
            }
            '?' => {
                expression.push_str("[^/]");
                is_regex = true;
            }
            '.' | '+' | '(' | ')' | '$' => expression.extend(['\\', c]),
            '\\' => {
                expression.push('\\');
                if let Some(escaped) = chars.next() {
                    expression.push(escaped);
                    is_regex = true;
                }
            }
            '[' | ']' => {
                expression.push(c);
                is_regex = true;
            }
            _ => expression.push(c),
        }
        first = false;
    }
    if !is_regex {
        return matcher;
    }
    expression.push('$');
    regexp::compile(&expression).map_or(Matcher::Invalid, |regex| Matcher::Regex(Box::new(regex)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Pattern::new(pattern.as_bytes())
            .unwrap()
            .matches(path.as_bytes())
            .unwrap()
    }

    #[test]
    fn stars_stop_at_slashes_and_double_stars_do_not() {
        assert!(matches("*.go", "a.go") && !matches("*.go", "a/b.go"));
        assert!(matches("**/*.go", "a.go") && matches("**/*.go", "a/b/c.go"));
        assert!(matches("a/**", "a/b/c") && !matches("a/**", "a"));
        assert!(matches("**/x", "x") && matches("**/x", "a/x") && !matches("**/x", "ax"));
        assert!(matches("**x", "a/bx") && matches("a**", "ab/c"));
    }

    #[test]
    fn what_the_reference_leaves_to_its_regular_expressions() {
        assert!(matches(r"\d*", "7a") && !matches(r"\d*", "d"));
        assert!(matches("*.a|b", "zb") && matches("*.a|b", "x.a"));
        assert!(matches("?{2}", "ab") && !matches("?{2}", "abc"));
        assert!(matches("[[:alpha:]]?", "a1") && !matches("[[:alpha:]]?", "1a"));
        assert!(matches(r"x\Q*", "x[^/]*$"));
        assert!(matches(r"[\p{Greek}]", "λ") && !matches(r"[\p{Greek}]", "l"));
    }

    #[test]
    fn broken_ones_are_found_where_the_reference_finds_them() {
        assert_eq!(Pattern::new(b"!").unwrap_err(), InvalidPattern::LoneBang);
        assert_eq!(Pattern::new(b"[a").unwrap_err(), InvalidPattern::Syntax);
        let late = Pattern::new(b"a*[").unwrap();
        assert_eq!(late.matches(b"zzz"), Err(InvalidPattern::Syntax));
        assert!(Pattern::new(b"?{2}{3}").unwrap().matches(b"a").is_err());
    }

    #[test]
    fn below_is_never_denied_wrongly() {
        let below = |p: &str, f: &str| {
            Pattern::new(p.as_bytes())
                .unwrap()
                .may_match_below(f.as_bytes())
        };
        assert!(below("!a/b/c", "a") && below("!a/b/c", "a/b") && !below("!a/b", "a/b"));
        assert!(!below("!a/b", "b") && !below("!a/b", "ab"));
        assert!(below("!**/x", "a") && below("!a/**", "a/b") && !below("!a/**", "b"));
        assert!(below("!a/*.c", "a") && !below("!a/*.c", "a/b") && !below("!*.c", "a"));
        assert!(below("!*/x/*", "a") && below("!*/x/*", "a/x") && !below("!*/x/*", "a/y"));
        assert!(below("!a|b*", "zz"));
    }
}
