use serde::{Deserialize, Serialize};

/// A parsed expression, as far as its types are checked: a list of nodes, each after its operands.
/// The last one is the whole expression. It is flat, because JSON limits the depth of values.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tree {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The part of the text that each node stands for.
    pub spans: Vec<Span>,
}

/// A part of an expression's text: its start and its length, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Span(pub u16, pub u16);

/// A node of a [`Tree`]; operands are indexes of earlier nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Node {
    /// A text. Its value is known, because it may be a key.
    #[serde(rename = "t")]
    Text(String),
    /// Another literal.
    #[serde(rename = "l")]
    Literal(Literal),
    /// A name without a dot.
    #[serde(rename = "n")]
    Name(String),
    /// A field of a value, as in `a.b`; the last part is true for `has(a.b)`.
    #[serde(rename = "s")]
    Select(u16, String, bool),
    /// A call of a function or an operator on an optional receiver.
    #[serde(rename = "c")]
    Call(String, Option<u16>, Vec<u16>),
    /// A list.
    #[serde(rename = "a")]
    List(Vec<u16>),
    /// A map, as keys and values.
    #[serde(rename = "m")]
    Map(Vec<(u16, u16)>),
    /// A loop over a list or a map, as macros such as `map` and `exists` make it.
    #[serde(rename = "f")]
    Fold(Box<Fold>),
    /// A value about which nothing is known.
    #[serde(rename = "o")]
    Other,
}

/// The kind of a literal that is not a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Literal {
    /// null.
    #[serde(rename = "n")]
    Null,
    /// true or false.
    #[serde(rename = "b")]
    Boolean,
    /// A whole number.
    #[serde(rename = "i")]
    Int,
    /// A whole number without a sign, such as `1u`.
    #[serde(rename = "u")]
    Uint,
    /// A number with a fraction.
    #[serde(rename = "d")]
    Double,
    /// Bytes.
    #[serde(rename = "y")]
    Bytes,
}

/// A loop: `result`, after `accu` was `init` and then `step` for each item of `range`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fold {
    /// The list or map.
    pub range: u16,
    /// The names of the variables for an item.
    pub items: Vec<String>,
    /// The name of the variable for the result so far.
    pub accu: String,
    /// The first value of the result.
    pub init: u16,
    /// Whether the loop goes on.
    pub goes_on: u16,
    /// The result after an item.
    pub step: u16,
    /// The result after the loop.
    pub result: u16,
}
