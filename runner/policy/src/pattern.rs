use std::fmt;

/// The longest pattern, in characters.
pub const MAX_PATTERN: usize = 1024;

/// How a pattern's text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A path in the workspace, or anything else whose parts are divided by `/`. `a/**` is `a` too.
    Path,
    /// A name or a resource name; `*` stays within `/`.
    Name,
    /// A host name; `*` stays within `.` and `/`.
    Host,
    /// An image or a repository: a host up to the first `/`, then a name.
    Image,
    /// The beginning of an object's name, whole parts only: `api` is `api` and `api/…`, never
    /// `api-old/…`. `*` is a character like any other.
    Prefix,
}

/// An anchored pattern. `*` stands for any characters but a separator, `**` for any characters;
/// everything else stands for itself. A pattern matches a whole text or nothing.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern {
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    One(char),
    Star,
    Deep,
}

impl Pattern {
    /// Reads a pattern; an error says what is wrong with it.
    pub fn parse(kind: Kind, text: &str) -> Result<Self, String> {
        if text.chars().count() > MAX_PATTERN {
            return Err(format!("a pattern has at most {MAX_PATTERN} characters"));
        }
        if text.chars().any(char::is_control) {
            return Err("a pattern has no control characters".to_owned());
        }
        let text = if kind == Kind::Path {
            normalise(text).ok_or_else(|| {
                format!("`{text}` leaves the workspace: paths are relative and have no `..`")
            })?
        } else {
            text.to_owned()
        };
        Ok(Self { text, kind })
    }

    /// The pattern as it was written (paths: normalised).
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it stands for one text only: the one that was written.
    pub fn is_exact(&self) -> bool {
        self.kind != Kind::Prefix && !self.text.contains('*')
    }

    /// Whether the text is one that the pattern stands for. A path that leaves the workspace is
    /// never one.
    pub fn matches(&self, text: &str) -> bool {
        match self.kind {
            Kind::Prefix => self.has_prefix(text),
            Kind::Path => normalise(text).is_some_and(|text| self.with_folder(&literal(&text))),
            _ => self.tokens_match(&literal(text)),
        }
    }

    /// Whether every text that the other stands for is one of this pattern's. It may say no where
    /// a cleverer proof would find yes, never yes where the answer is no.
    pub fn covers(&self, other: &Self) -> bool {
        if self.kind != other.kind {
            return false;
        }
        match self.kind {
            Kind::Prefix => self.has_prefix(&other.text),
            Kind::Path => {
                // `a/**` stands for `a` as well, so its cover must.
                let folder = other.text.strip_suffix("/**");
                self.with_folder(&tokens(&other.text))
                    && folder.is_none_or(|folder| self.with_folder(&tokens(folder)))
            }
            _ => self.tokens_match(&tokens(&other.text)),
        }
    }

    fn has_prefix(&self, text: &str) -> bool {
        self.text.is_empty()
            || text.strip_prefix(&self.text).is_some_and(|rest| {
                rest.is_empty() || rest.starts_with('/') || self.text.ends_with('/')
            })
    }

    fn with_folder(&self, subject: &[Token]) -> bool {
        if self.tokens_match(subject) {
            return true;
        }
        let Some(folder) = self.text.strip_suffix("/**") else {
            return false;
        };
        matches(&tokens(folder), subject, self.kind)
    }

    fn tokens_match(&self, subject: &[Token]) -> bool {
        matches(&tokens(&self.text), subject, self.kind)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

/// A path without `.` parts and doubled separators; none if it is absolute or has a `..`.
pub(crate) fn normalise(path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for character in text.chars() {
        match (character, tokens.last()) {
            ('*', Some(Token::Star)) => {
                tokens.pop();
                tokens.push(Token::Deep);
            }
            ('*', Some(Token::Deep)) => {}
            ('*', _) => tokens.push(Token::Star),
            (other, _) => tokens.push(Token::One(other)),
        }
    }
    tokens
}

fn literal(text: &str) -> Vec<Token> {
    text.chars().map(Token::One).collect()
}

/// Which dots of the subject are separators: those of its host.
fn host_end(subject: &[Token], kind: Kind) -> usize {
    match kind {
        Kind::Host => subject.len(),
        Kind::Image => {
            let slash = subject.iter().position(|token| *token == Token::One('/'));
            // A `**` may hide the first slash: then every dot may be one of the host.
            let deep = subject.iter().position(|token| *token == Token::Deep);
            match (slash, deep) {
                (Some(slash), Some(deep)) if deep < slash => subject.len(),
                (None, Some(_)) => subject.len(),
                (slash, _) => slash.unwrap_or(0),
            }
        }
        Kind::Path | Kind::Name | Kind::Prefix => 0,
    }
}

/// Whether the pattern's tokens can consume the subject's: a one only itself, `*` everything but
/// separators and `**`, `**` everything.
fn matches(pattern: &[Token], subject: &[Token], kind: Kind) -> bool {
    let host = host_end(subject, kind);
    let mut reach = vec![false; subject.len() + 1];
    reach[0] = true;
    for token in pattern {
        match token {
            Token::One(wanted) => {
                for i in (0..subject.len()).rev() {
                    reach[i + 1] = reach[i] && subject[i] == Token::One(*wanted);
                }
                reach[0] = false;
            }
            Token::Star => {
                for i in 0..subject.len() {
                    let within = match subject[i] {
                        Token::One('/') | Token::Deep => false,
                        Token::One('.') => i >= host,
                        _ => true,
                    };
                    reach[i + 1] = reach[i + 1] || (reach[i] && within);
                }
            }
            Token::Deep => {
                for i in 0..subject.len() {
                    reach[i + 1] = reach[i + 1] || reach[i];
                }
            }
        }
    }
    reach[subject.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(kind: Kind, text: &str) -> Pattern {
        Pattern::parse(kind, text).expect(text)
    }

    #[test]
    fn patterns_are_anchored_and_stop_at_separators() {
        let table = [
            (Kind::Path, "services/*", "services/a", true),
            (Kind::Path, "services/*", "services/a/b", false),
            (Kind::Path, "services/**", "services/a/b", true),
            (Kind::Path, "services/**", "services", true),
            (Kind::Path, "./**", "a/b", true),
            (Kind::Path, "**", "../x", false),
            (Kind::Path, "**", "/etc/passwd", false),
            (Kind::Path, "**", ".", true),
            (Kind::Host, "*.example.com", "a.example.com", true),
            (Kind::Host, "*.example.com", "a.b.example.com", false),
            (Kind::Host, "**.example.com", "a.b.example.com", true),
            (
                Kind::Host,
                "good.example",
                "evil.example/https://good.example",
                false,
            ),
            (
                Kind::Host,
                "*good.example",
                "evil.example/https://good.example",
                false,
            ),
            (
                Kind::Image,
                "ghcr.io/x/kaniko@*",
                "ghcr.io/x/kaniko@sha256:ab",
                true,
            ),
            (
                Kind::Image,
                "ghcr.io/x/kaniko@*",
                "ghcr.io/x/kaniko@sha256:ab/evil",
                false,
            ),
            (Kind::Image, "*.pkg.dev/p/**", "a.evil.pkg.dev/p/x", false),
            (
                Kind::Image,
                "*.pkg.dev/p/**",
                "europe.pkg.dev/p/x/y:1.2",
                true,
            ),
            (Kind::Image, "python:*", "python:3.13", true),
            (Kind::Prefix, "api", "api/x", true),
            (Kind::Prefix, "api", "api-old/x", false),
            (Kind::Prefix, "api/", "api/x", true),
            (Kind::Prefix, "", "anything", true),
            (Kind::Name, "kaniko", "kaniko2", false),
            (
                Kind::Name,
                "projects/*/secrets/s",
                "projects/p/secrets/s",
                true,
            ),
        ];
        for (kind, text, subject, expected) in table {
            assert_eq!(
                pattern(kind, text).matches(subject),
                expected,
                "{text} on {subject}"
            );
        }
        assert!(Pattern::parse(Kind::Path, "a/../../b").is_err());
        assert!(Pattern::parse(Kind::Name, "a\nb").is_err());
    }

    #[test]
    fn a_wider_pattern_is_never_covered_by_a_narrower_one() {
        let covers = |kind, a: &str, b: &str| pattern(kind, a).covers(&pattern(kind, b));
        assert!(covers(Kind::Path, "a/**", "a/b/*"));
        assert!(!covers(Kind::Path, "a/*", "a/**"));
        assert!(!covers(Kind::Path, "a/*", "**"));
        assert!(covers(Kind::Path, "a/**", "a"));
        assert!(!covers(Kind::Path, "a/b*/**", "a/**"));
        assert!(!covers(Kind::Prefix, "api/", "api"));
        assert!(!covers(Kind::Prefix, "api/", ""));
        assert!(covers(Kind::Image, "**", "ghcr.io/**"));
    }

    fn kinds() -> impl Strategy<Value = Kind> {
        prop_oneof![
            Just(Kind::Path),
            Just(Kind::Name),
            Just(Kind::Host),
            Just(Kind::Image),
            Just(Kind::Prefix)
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn what_a_covered_pattern_matches_its_cover_matches(
            kind in kinds(), a in "[ab./*]{0,6}", b in "[ab./*]{0,6}", text in "[ab./]{0,6}",
        ) {
            if let (Ok(a), Ok(b)) = (Pattern::parse(kind, &a), Pattern::parse(kind, &b)) {
                prop_assert!(a.covers(&a));
                if a.covers(&b) && b.matches(&text) {
                    prop_assert!(a.matches(&text), "{a} covers {b}, which matches {text}");
                }
            }
        }

        #[test]
        fn without_a_star_a_pattern_is_the_text_itself(text in "[ab.:@-]{1,9}", other in "[ab.:@-]{1,9}") {
            let pattern = pattern(Kind::Name, &text);
            prop_assert_eq!(pattern.matches(&other), text == other);
        }
    }
}
