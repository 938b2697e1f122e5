//! YAML as it was written: every key and value with its place, every scalar as its text.
//!
//! The pipeline file and the policy file are both read into this tree once. Nothing in it is
//! converted: whether `1.10` is a number or a text is for whoever knows what is wanted there.

mod build;
mod lines;
mod open;
mod place;

use sidestep_events::{Diagnostic, Foreign, Position, codes};

use build::Builder;

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// The most nodes that a file may have once its aliases are expanded.
pub const MAX_NODES: usize = 200_000;
/// The most bytes of scalars that a file may have once its aliases are expanded.
pub const MAX_SCALAR_BYTES: usize = 4 << 20;
/// How deep lists and maps may nest, aliases expanded.
pub const MAX_DEPTH: usize = 64;

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it begins.
    pub at: Position,
    /// What it is.
    pub kind: NodeKind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeKind {
    /// A text, as written.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the file's order, without duplicate keys.
    Map(Vec<(Key, Node)>),
}

/// A scalar's text and how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text after YAML's escapes.
    pub text: String,
    /// Whether it had neither quotes nor a block style, so that YAML may take it for a number, a
    /// boolean or null.
    pub plain: bool,
    /// Where the text's first character is, when the source has the text unchanged on one line.
    pub verbatim: Option<Position>,
}

/// A mapping's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its text.
    pub text: String,
    /// Where it is.
    pub at: Position,
}

impl Node {
    /// The value of a mapping's key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find_map(|(known, value)| (known.text == key).then_some(value))
    }

    /// A mapping's entries; none for anything else.
    pub fn entries(&self) -> &[(Key, Node)] {
        match &self.kind {
            NodeKind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The scalar, if it is one.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            NodeKind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Whether nothing is written here: an empty value, `~` or `null`.
    pub fn is_null(&self) -> bool {
        self.scalar()
            .is_some_and(|scalar| scalar.plain && is_null(&scalar.text))
    }

    /// `a text`, `a list` or `a map`, for messages.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            _ if self.is_null() => "nothing",
            NodeKind::Scalar(_) => "a single value",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a map",
        }
    }
}

/// Whether a plain scalar of this text is YAML's null.
pub fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// A file as a tree, and what is wrong with it as YAML.
#[derive(Debug, Default)]
pub struct Tree {
    /// The document's root; absent when it can't be read at all, or is empty.
    pub root: Option<Node>,
    /// Duplicate keys, syntax errors, limits.
    pub problems: Vec<Diagnostic>,
}

/// Reads a file's text. Never panics, and uses memory in proportion to the limits above.
pub fn read(file: &str, text: &str) -> Tree {
    if text.len() > MAX_BYTES {
        let message = format!(
            "the file has {} bytes; at most {MAX_BYTES} are read",
            text.len()
        );
        return Tree {
            root: None,
            problems: vec![error(file, codes::yaml::TOO_LARGE, message, START)],
        };
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Builder::new(file, text).tree()
}

const START: Position = Position {
    line: 1,
    column: 1,
    length: 0,
};

fn error(file: &str, code: &'static str, message: impl Into<Foreign>, at: Position) -> Diagnostic {
    Diagnostic::error(code, message).at(file, at)
}

#[cfg(test)]
mod tests;
