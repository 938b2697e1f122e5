//! The patterns of `${NAME#…}`, `${NAME%…}` and `${NAME/…/…}`: `?`, `*`, and escapes.

/// The maximum product of the characters of a value and the parts of a pattern.
const MOST_STEPS: usize = 1 << 26;

/// A part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Any,
    Many,
    One(char),
}

/// A parsed pattern.
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
                // The `}` or `/` is escaped because it would end the substitution; the pattern does
                // not need it.
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

    /// Returns the length, in characters, of the longest or shortest match at the beginning of a
    /// text.
    pub(crate) fn prefix(&self, text: &[char], longest: bool) -> Result<Option<usize>, String> {
        let matches = self.matches(text, longest)?;
        Ok(matches.first().copied().flatten())
    }

    /// Returns the length of the match at the end of a text.
    pub(crate) fn suffix(&self, text: &[char], longest: bool) -> Result<Option<usize>, String> {
        let backwards = Self(self.0.iter().rev().copied().collect());
        let text: Vec<char> = text.iter().rev().copied().collect();
        backwards.prefix(&text, longest)
    }

    /// Returns a text with the first match, or every match, replaced; `None` if that has more than
    /// `most` bytes.
    pub(crate) fn replace(
        &self,
        text: &str,
        with: &str,
        all: bool,
        most: usize,
    ) -> Result<Option<String>, String> {
        let text: Vec<char> = text.chars().collect();
        let matches = self.matches(&text, true)?;
        let mut out = String::new();
        let mut at = 0;
        let mut done = false;
        while at < text.len() {
            if let Some(length) = matches[at].filter(|length| *length > 0 && !done) {
                out.push_str(with);
                at += length;
                done = !all;
            } else {
                out.push(text[at]);
                at += 1;
            }
            if out.len() > most {
                return Ok(None);
            }
        }
        Ok(Some(out))
    }

    /// Returns, for each character of a text and for its end, the length of the longest or shortest
    /// match from there. The time is the product of both lengths.
    fn matches(&self, text: &[char], longest: bool) -> Result<Vec<Option<usize>>, String> {
        let parts = self.0.len();
        if (text.len() + 1).saturating_mul(parts + 1) > MOST_STEPS {
            return Err("the value and the pattern of a substitution are too long".to_owned());
        }
        let better = |one: Option<usize>, other: Option<usize>| match (one, other) {
            (Some(one), Some(other)) if longest => Some(one.max(other)),
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let mut found = vec![None; text.len() + 1];
        // The matches of each part and those after it: from the next character on, and from this
        // one.
        let mut next = vec![None; parts + 1];
        let mut here = next.clone();
        for at in (0..=text.len()).rev() {
            let one_more = |length: Option<usize>| length.map(|length| length + 1);
            here[parts] = Some(0);
            for part in (0..parts).rev() {
                here[part] = match self.0[part] {
                    Part::Many => better(here[part + 1], one_more(next[part])),
                    Part::Any => one_more(next[part + 1]),
                    Part::One(c) if text.get(at) == Some(&c) => one_more(next[part + 1]),
                    Part::One(_) => None,
                };
            }
            found[at] = here[0];
            std::mem::swap(&mut here, &mut next);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_the_shells() {
        let chars: Vec<char> = "a.b.c".chars().collect();
        let glob = |pattern: &str| Glob::new(pattern).expect("a pattern");
        assert_eq!(glob("*.").prefix(&chars, false), Ok(Some(2)));
        assert_eq!(glob("*.").prefix(&chars, true), Ok(Some(4)));
        assert_eq!(glob(".*").suffix(&chars, false), Ok(Some(2)));
        assert_eq!(glob(".*").suffix(&chars, true), Ok(Some(4)));
        assert_eq!(glob("x*").prefix(&chars, true), Ok(None));
        let replaced = |pattern: &str, text: &str, with: &str, all| {
            let replaced = glob(pattern).replace(text, with, all, 9);
            replaced.expect("short")
        };
        assert_eq!(replaced("?", "a.b", "x", true).as_deref(), Some("xxx"));
        assert_eq!(replaced(".", "a.b.c", "-", false).as_deref(), Some("a-b.c"));
        assert_eq!(replaced(r"\*", "a*b", "", false).as_deref(), Some("ab"));
        assert_eq!(replaced("a*b", "xaabba", "-", true).as_deref(), Some("x-a"));
        assert_eq!(replaced("?", "a.b", "1234", true), None);
        assert!(Glob::new(r"\a").is_err());
    }

    #[test]
    fn no_text_takes_long() {
        let text: Vec<char> = "a".repeat(60_000).chars().collect();
        let glob = Glob::new("a*a*a*b").expect("a pattern");
        assert_eq!(glob.prefix(&text, true), Ok(None));
        assert_eq!(glob.suffix(&text, false), Ok(None));
        let text: String = text.into_iter().collect();
        let same = glob.replace(&text, "x", true, text.len());
        assert_eq!(same, Ok(Some(text.clone())));
        let long = Glob::new(&text).expect("a pattern");
        assert!(long.replace(&text, "x", true, text.len()).is_err());
    }
}
