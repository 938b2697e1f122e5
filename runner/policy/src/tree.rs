//! YAML as written: every key and value with its place, every scalar as its text.
//!
//! The pipeline file and the policy file are each read into this tree once. The tree converts
//! nothing: the reader that knows the expected type decides whether `1.10` is a number or a text.

mod build;
mod lines;
mod open;
mod place;

use sidestep_events::{Diagnostic, Foreign, Place, Position, codes};

use build::Builder;

/// The maximum size of a file, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// The maximum number of nodes of a file, with its aliases expanded.
pub const MAX_NODES: usize = 200_000;
/// The maximum number of bytes of all scalars of a file, with its aliases expanded.
pub const MAX_SCALAR_BYTES: usize = 4 << 20;
/// The maximum nesting depth of lists and maps, with aliases expanded.
pub const MAX_DEPTH: usize = 64;

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The place of its beginning.
    pub at: Place,
    /// Its content.
    pub kind: NodeKind,
}

/// The content of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeKind {
    /// A text, as written.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the file's order, without duplicate keys. The keys that a merge key (`<<`) adds
    /// come last.
    Map(Vec<(Key, Node)>),
}

/// A scalar's text and how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text, with YAML's escapes resolved.
    pub text: String,
    /// Whether it has neither quotes nor a block style, so that YAML may read it as a number, a
    /// boolean or null.
    pub plain: bool,
    /// The place of the text's first character, if the source has the text unchanged on one line.
    pub verbatim: Option<Position>,
}

/// A mapping's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its text.
    pub text: String,
    /// Its place.
    pub at: Place,
}

impl Node {
    /// Returns the value of a mapping's key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find_map(|(known, value)| (known.text == key).then_some(value))
    }

    /// Returns a mapping's entries; empty for other nodes.
    pub fn entries(&self) -> &[(Key, Node)] {
        match &self.kind {
            NodeKind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Returns the scalar, if the node is one.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            NodeKind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Returns whether the value is empty, `~` or `null`.
    pub fn is_null(&self) -> bool {
        self.scalar()
            .is_some_and(|scalar| scalar.plain && is_null(&scalar.text))
    }

    /// Marks the node and all that it holds as repeated by an alias at this place.
    fn used_at(&mut self, used: Position) {
        self.at.used = Some(used);
        match &mut self.kind {
            NodeKind::Scalar(_) => {}
            NodeKind::List(items) => items.iter_mut().for_each(|item| item.used_at(used)),
            NodeKind::Map(entries) => {
                for (key, value) in entries {
                    key.at.used = Some(used);
                    value.used_at(used);
                }
            }
        }
    }

    /// Returns `a single value`, `a list`, `a map` or `nothing`, for messages.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            _ if self.is_null() => "nothing",
            NodeKind::Scalar(_) => "a single value",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a map",
        }
    }
}

/// Returns whether a plain scalar of this text is YAML's null.
pub fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// A file as a tree, with its YAML errors.
#[derive(Debug, Default)]
pub struct Tree {
    /// The document's root; `None` if the file is empty or unreadable.
    pub root: Option<Node>,
    /// The errors: duplicate keys, syntax errors, exceeded limits.
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

fn error(
    file: &str,
    code: &'static str,
    message: impl Into<Foreign>,
    at: impl Into<Place>,
) -> Diagnostic {
    Diagnostic::error(code, message).at(file, at)
}

#[cfg(test)]
mod tests;
