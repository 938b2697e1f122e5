//! The patterns of `${NAME#…}`, `${NAME%…}` and `${NAME/…/…}`: `?`, `*`, and escapes.

/// A part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Any,
    Many,
    One(char),
}

/// A pattern, taken apart.
#[derive(Debug)]
pub(crate) struct Glob(Vec<Part>);

impl Glob {
    /// Reads a pattern; the error is the parser's.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut chars = pattern.chars().peekable();
        while let Some(c) = chars.next() {
            parts.push(match c {
                '*' => Part::Many,
                '?' => Part::Any,
                // What ends the substitution is escaped for its sake, not for the pattern's.
                '\\' if chars.peek().is_some_and(|next| matches!(next, '}' | '/')) => continue,
                '\\' => match chars.next() {
                    Some(next @ ('*' | '?' | '\\')) => Part::One(next),
                    next => {
                        let next = next.unwrap_or('\u{fffd}');
                        return Err(format!(
                            "invalid pattern ({pattern}) in substitution: invalid escape '\\{next}'"
                        ));
                    }
                },
                c => Part::One(c),
            });
        }
        Ok(Self(parts))
    }

    /// How many characters at the beginning of a text match, at most or at least.
    pub(crate) fn prefix(&self, text: &[char], longest: bool) -> Option<usize> {
        let mut lengths = (0..=text.len()).filter(|&length| matches(&self.0, &text[..length]));
        if longest {
            lengths.next_back()
        } else {
            lengths.next()
        }
    }

    /// The same at the end of a text.
    pub(crate) fn suffix(&self, text: &[char], longest: bool) -> Option<usize> {
        let mut lengths =
            (0..=text.len()).filter(|&length| matches(&self.0, &text[text.len() - length..]));
        if longest {
            lengths.next_back()
        } else {
            lengths.next()
        }
    }

    /// A text with the first match, or every one, replaced.
    pub(crate) fn replace(&self, text: &str, with: &str, all: bool) -> String {
        let text: Vec<char> = text.chars().collect();
        let mut out = String::new();
        let mut at = 0;
        let mut done = false;
        while at < text.len() {
            let found = self.prefix(&text[at..], true).filter(|_| !done);
            if let Some(length) = found.filter(|length| *length > 0) {
                out.push_str(with);
                at += length;
                done = !all;
            } else {
                out.push(text[at]);
                at += 1;
            }
        }
        out
    }
}

/// Whether the parts match the whole of a text; two indices and one place to go back to, so the
/// time is at most the product of both lengths.
fn matches(parts: &[Part], text: &[char]) -> bool {
    let (mut part, mut at) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while at < text.len() {
        match parts.get(part) {
            Some(Part::Many) => {
                back = Some((part, at));
                part += 1;
            }
            Some(Part::Any) => (part, at) = (part + 1, at + 1),
            Some(Part::One(c)) if *c == text[at] => (part, at) = (part + 1, at + 1),
            _ => match back {
                Some((many, taken)) => {
                    back = Some((many, taken + 1));
                    (part, at) = (many + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    parts[part..].iter().all(|part| *part == Part::Many)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_the_shells() {
        let chars: Vec<char> = "a.b.c".chars().collect();
        let glob = |pattern: &str| Glob::new(pattern).expect("a pattern");
        assert_eq!(glob("*.").prefix(&chars, false), Some(2));
        assert_eq!(glob("*.").prefix(&chars, true), Some(4));
        assert_eq!(glob(".*").suffix(&chars, false), Some(2));
        assert_eq!(glob(".*").suffix(&chars, true), Some(4));
        assert_eq!(glob("x*").prefix(&chars, true), None);
        assert_eq!(glob("?").replace("a.b", "x", true), "xxx");
        assert_eq!(glob(".").replace("a.b.c", "-", false), "a-b.c");
        assert_eq!(glob(r"\*").replace("a*b", "", false), "ab");
        assert!(Glob::new(r"\a").is_err());
    }
}
