//! What a step's grants say.

use serde_json::Value;
use sidestep_policy::tree::{Node, NodeKind};

use crate::context;
use crate::expression::{self, Values};
use crate::problems::Problems;
use crate::template::{Piece, join};

/// A tree as JSON in which every scalar is its text, with its expressions evaluated: for grants.
pub(super) fn texts(problems: &mut Problems<'_>, node: &Node, values: &Values) -> Value {
    match &node.kind {
        NodeKind::Scalar(scalar) => {
            let Some(parts) = context::parts(problems, context::IN_GRANTS, scalar, node.at) else {
                return Value::Null;
            };
            let result = match parts.pieces.as_slice() {
                [Piece::Expression(text)] => expression::evaluate(text, values),
                _ if node.is_null() => Ok(Value::Null),
                pieces => join(pieces, values).map(Value::String),
            };
            result.unwrap_or_else(|message| {
                problems.add("expression.failed", node.at, message);
                Value::Null
            })
        }
        NodeKind::List(items) => items
            .iter()
            .map(|item| texts(problems, item, values))
            .collect(),
        NodeKind::Map(entries) => entries
            .iter()
            .map(|(key, value)| (key.text.clone(), texts(problems, value, values)))
            .collect(),
    }
}
