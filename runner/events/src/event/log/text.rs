//! The bytes of a log line.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Foreign;

/// The bytes of a log line, in any encoding.
///
/// In JSON and on screens they appear as text, with U+FFFD for everything that is not UTF-8. Only
/// [`bytes`](Self::bytes) returns them exactly.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogText(Vec<u8>);

impl LogText {
    /// Returns the bytes exactly as written. Code that prints to a terminal must not call this.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the bytes for changes in place, such as masking.
    pub fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// Returns the text.
    pub fn text(&self) -> Foreign {
        self.lossy().into()
    }

    /// Returns the lines of the text, without their ends; at least one.
    pub fn lines(&self) -> Vec<Foreign> {
        let mut lines: Vec<Foreign> = self.text().lines().collect();
        if lines.is_empty() {
            lines.push(Foreign::default());
        }
        lines
    }

    /// Returns the length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

/// Formats the text as a quoted and escaped Rust literal.
impl fmt::Debug for LogText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.lossy(), f)
    }
}

impl Serialize for LogText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.lossy())
    }
}

impl<'de> Deserialize<'de> for LogText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl JsonSchema for LogText {
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

impl From<Vec<u8>> for LogText {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for LogText {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl From<String> for LogText {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl From<&str> for LogText {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl PartialEq<str> for LogText {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for LogText {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_holds_text_and_the_bytes_stay_exact() {
        let text = LogText::from(b"a\xff\0b".to_vec());
        assert_eq!(
            serde_json::to_string(&text).expect("a string"),
            "\"a\u{fffd}\\u0000b\""
        );
        assert_eq!(text.bytes(), b"a\xff\0b");
    }

    #[test]
    fn an_empty_text_is_one_line() {
        assert_eq!(LogText::default().lines().len(), 1);
        assert_eq!(LogText::from("a\r\n\nb\n").lines(), ["a", "", "b"]);
    }
}
