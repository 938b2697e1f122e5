//! Untrusted text.

mod value;

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

pub use value::ForeignValue;

/// Text that may be untrusted: from a plugin, a pod, a file, a pipeline or a cloud.
///
/// It cannot be printed by accident: it has no `Display` and no `Deref`, and [`show`](crate::show)
/// has one function for each medium. Sidestep's own sentences are foreign too as soon as they quote
/// something, so every text in an event has this type.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Foreign(String);

impl Foreign {
    /// Returns the text exactly as written: for masks, for JSON, and for decisions in code. Code
    /// that prints must not call this.
    pub fn exact(&self) -> &str {
        &self.0
    }

    /// Returns the exact text for changes in place, such as masking.
    pub fn exact_mut(&mut self) -> &mut String {
        &mut self.0
    }

    /// Returns the exact text as an owned string.
    pub fn into_exact(self) -> String {
        self.0
    }

    /// Creates another foreign text from this one, such as a sentence that quotes it.
    #[must_use]
    pub fn rewrite(&self, write: impl FnOnce(&str) -> String) -> Self {
        Self(write(&self.0))
    }

    /// Returns the lines, without their ends.
    pub fn lines(&self) -> impl Iterator<Item = Self> {
        self.0.lines().map(Self::from)
    }

    /// Returns the length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether the text contains `part`.
    pub fn contains(&self, part: &str) -> bool {
        self.0.contains(part)
    }

    /// Returns whether the text begins with `part`.
    pub fn starts_with(&self, part: &str) -> bool {
        self.0.starts_with(part)
    }

    /// Returns whether the text ends with `part`.
    pub fn ends_with(&self, part: &str) -> bool {
        self.0.ends_with(part)
    }
}

/// Formats the text as a quoted and escaped Rust literal.
impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The schema is that of a string.
impl JsonSchema for Foreign {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

impl From<String> for Foreign {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&String> for Foreign {
    fn from(text: &String) -> Self {
        Self(text.clone())
    }
}

impl From<&str> for Foreign {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<Cow<'_, str>> for Foreign {
    fn from(text: Cow<'_, str>) -> Self {
        Self(text.into_owned())
    }
}

impl From<&Self> for Foreign {
    fn from(text: &Self) -> Self {
        text.clone()
    }
}

/// Replaces everything in a path that is not UTF-8 by U+FFFD.
impl From<&Path> for Foreign {
    fn from(path: &Path) -> Self {
        Self(path.to_string_lossy().into_owned())
    }
}

impl PartialEq<str> for Foreign {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Foreign {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl PartialEq<String> for Foreign {
    fn eq(&self, other: &String) -> bool {
        self.0 == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_text_as_it_is() {
        let text = Foreign::from("a\u{1b}b\u{202e}");
        let json = serde_json::to_string(&text).expect("a string");
        assert_eq!(
            serde_json::from_str::<Foreign>(&json).expect("a string"),
            text
        );
    }

    #[test]
    fn debugging_shows_escapes() {
        let text = Foreign::from("a\u{1b}[31m\u{202e}\u{9b}\n");
        assert_eq!(format!("{text:?}"), r#""a\u{1b}[31m\u{202e}\u{9b}\n""#);
    }
}
