//! Patterns of names, paths, hosts and images.

#[cfg(test)]
mod tests;
mod tokens;

use std::fmt;

use tokens::{Token, literal, matches, tokens};

/// The maximum length of a pattern, in characters.
pub const MAX_PATTERN: usize = 1024;

/// The kind of a pattern, which decides its separators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A path in the workspace, or other text with `/` as separator. `a/**` also matches `a`.
    Path,
    /// A name or a resource name; `*` does not match `/`.
    Name,
    /// A host name; `*` does not match `.` or `/`.
    Host,
    /// An image or a repository: a host up to the first `/`, then a name.
    Image,
    /// A prefix of an object's name in whole parts: `api` matches `api` and `api/…`, but never
    /// `api-old/…`. `*` is an ordinary character.
    Prefix,
}

/// An anchored pattern. `*` matches any characters except separators, `**` any characters; all
/// others match themselves. A pattern matches a text as a whole.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern {
    text: String,
    kind: Kind,
}

impl Pattern {
    /// Parses a pattern; an error holds the reason.
    pub fn parse(kind: Kind, text: &str) -> Result<Self, String> {
        if text.chars().count() > MAX_PATTERN {
            return Err(format!(
                "a pattern can have at most {MAX_PATTERN} characters"
            ));
        }
        if text.chars().any(char::is_control) {
            return Err("a pattern can't contain control characters".to_owned());
        }
        if kind == Kind::Host {
            host_spelling(text)?;
        }
        let text = if kind == Kind::Path {
            normalise(text).ok_or_else(|| {
                format!(
                    "`{text}` leaves the workspace: paths must be relative and can't contain `..`"
                )
            })?
        } else {
            text.to_owned()
        };
        Ok(Self { text, kind })
    }

    /// Returns the pattern of one text followed by `below`. Rejects a text that would itself be
    /// read as a pattern.
    pub(crate) fn literal(kind: Kind, text: &str, below: &str) -> Result<Self, String> {
        if text.contains('*') {
            return Err("a `*` would match other names, too".to_owned());
        }
        Self::parse(kind, format!("{text}{below}").trim_start_matches('/'))
    }

    /// Returns the pattern as written (paths: normalised).
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the kind of the pattern.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns whether it matches only one text: its own.
    pub fn is_exact(&self) -> bool {
        self.kind != Kind::Prefix && !self.text.contains('*')
    }

    /// Returns whether the pattern matches the text. A path that leaves the workspace never
    /// matches.
    pub fn matches(&self, text: &str) -> bool {
        match self.kind {
            Kind::Prefix => self.has_prefix(text),
            Kind::Path => normalise(text).is_some_and(|text| self.with_folder(&literal(&text))),
            _ => self.tokens_match(&literal(text)),
        }
    }

    /// Returns whether this pattern matches every text that the other matches. The answer may be a
    /// false no, but never a false yes.
    pub fn covers(&self, other: &Self) -> bool {
        if self.kind != other.kind {
            return false;
        }
        match self.kind {
            Kind::Prefix => self.has_prefix(&other.text),
            Kind::Path => {
                // `a/**` also matches `a`, so a covering pattern must match it too.
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

/// Rejects patterns that can match no host: hosts are judged as sent, in one spelling.
fn host_spelling(text: &str) -> Result<(), String> {
    let wrong = |why: &str| Err(format!("`{text}` matches no host: {why}"));
    if text.chars().any(|c| c.is_ascii_uppercase()) {
        return wrong("host names are written in lower case");
    }
    if !text.is_ascii() {
        return wrong("host names are ASCII, other letters in Punycode (`xn--…`)");
    }
    if text.ends_with('.') && text.len() > 1 {
        return wrong("a host name does not end with a dot");
    }
    if text.contains(':') && !text.starts_with('[') {
        return wrong("it has no port and no scheme; ports have their own key, `ports: [8443]`");
    }
    Ok(())
}

/// Returns a path without `.` parts and double separators, or `None` if it is absolute or has a
/// `..` part.
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
