//! Reads the texts of a step's grants.

use serde_json::Value;
use sidestep_events::codes;
use sidestep_policy::tree::{Node, NodeKind};

use crate::context;
use crate::expression::{self, Code, Values};
use crate::file::Step;
use crate::problems::Problems;
use crate::template::{Piece, join};

/// Returns whether all expressions of a step's grants have values.
pub(super) fn are_readable(problems: &Problems<'_>, step: &Step, values: &Values) -> bool {
    let Some((_, node)) = &step.grants else {
        return true;
    };
    let (mut scratch, mut found) = (
        Problems::new(problems.file(), problems.evaluator(), Vec::new()),
        Vec::new(),
    );
    context::collect(&mut scratch, context::IN_GRANTS, node, &mut found);
    scratch.is_empty()
        && !found
            .iter()
            .any(|one| values.lacks(&one.analysis) || problems.has_within(one.at))
}

/// Returns a tree as JSON, each scalar as its text with expressions evaluated; used for grants.
pub(super) fn texts(problems: &mut Problems<'_>, node: &Node, values: &Values) -> Value {
    match &node.kind {
        NodeKind::Scalar(scalar) => {
            let parts = context::parts(problems, context::IN_GRANTS, scalar, node.at);
            if !parts.whole {
                return Value::Null;
            }
            let result = match parts.pieces.as_slice() {
                [Piece::Expression(text)] => expression::evaluate(text, values),
                _ if node.is_null() => Ok(Value::Null),
                pieces => join(pieces, values).map(Value::String),
            };
            result.unwrap_or_else(|why| {
                problems.unanswered(Code::expression(codes::expression::FAILED), node.at, &why);
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
