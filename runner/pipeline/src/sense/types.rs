//! Checks the types of expressions: finds the parts that fail for all values that are possible.

use std::borrow::Cow;

use sidestep_evaluator::types::{Mistake, Names, Scalars, Type, check};
use sidestep_evaluator::{Analysis, Node, Reference, Span, Tree};
use sidestep_events::{Place, Position, codes};

use super::known::Known;
use crate::expression;
use crate::file::{Expression, InputKind};
use crate::problems::Problems;
use crate::schema;

impl Names for Known<'_> {
    fn of(&self, root: &str, path: &[&str]) -> (Type, usize) {
        let unknown = (Type::any(), path.len());
        let text = Type::from(Scalars::TEXT);
        let maybe_text = || Type::from(Scalars::TEXT.or(Scalars::NULL));
        match (root, path) {
            ("inputs", [name, ..]) => match self.pipeline.inputs.get(*name) {
                Some(input) => (of_input(input.kind), 1),
                None => unknown,
            },
            // Variables that are not set, and facts that git does not know, are null.
            ("env", [_, ..]) | ("git", ["commit" | "shortCommit" | "branch", ..]) => {
                (maybe_text(), 1)
            }
            ("run", ["id", ..]) => (text, 1),
            ("matrix", [key, ..]) => {
                let matrix = self.step.and_then(|step| step.matrix.as_ref());
                let values = matrix.and_then(|matrix| matrix.types.get(*key));
                values.map_or(unknown, |values| (values.clone(), 1))
            }
            ("steps", [step, ..]) if self.pipeline.steps.have_matrix(step) => unknown,
            ("steps", [_, "status", ..]) => (text, 2),
            ("steps", [step, "outputs", name, ..]) => {
                let schema = crate::outputs::output_schema(self.pipeline, self.given, step);
                let of_output = schema.and_then(|(root, _)| schema::output_type(root, name));
                // The outputs of a step that did not succeed are null.
                let or_null = |kind: Type| (kind.or(Scalars::NULL.into()), 3);
                of_output.map_or(unknown, or_null)
            }
            _ => unknown,
        }
    }
}

fn of_input(kind: InputKind) -> Type {
    match kind {
        InputKind::String => Scalars::TEXT.into(),
        InputKind::Integer => Scalars::INT.or(Scalars::UINT).into(),
        InputKind::Number => Scalars::NUMBER.into(),
        InputKind::Boolean => Scalars::BOOLEAN.into(),
        InputKind::List => Type::list(Type::any()),
        InputKind::Map => Type::any_map(),
    }
}

/// Returns the type of an expression, and the parts of it that are certain to fail.
pub(super) fn of(known: &Known<'_>, text: &str, analysis: &Analysis) -> (Type, Vec<Mistake>) {
    let tree = match &analysis.tree {
        Some(tree) => Cow::Borrowed(tree),
        None => {
            let Some(reference) = expression::name(text, analysis) else {
                return (Type::any(), Vec::new());
            };
            let path: Vec<&str> = reference.path.iter().map(String::as_str).collect();
            let (kind, parts) = known.of(&reference.root, &path);
            if parts == path.len() {
                return (kind, Vec::new());
            }
            Cow::Owned(of_name(reference, text))
        }
    };
    check(&tree, known)
}

/// Returns the tree of a plain reference, for which the evaluator is not asked.
fn of_name(reference: &Reference, text: &str) -> Tree {
    let short = |length: usize| u16::try_from(length).unwrap_or(u16::MAX);
    let start = short(text.chars().take_while(|c| c.is_whitespace()).count());
    let mut length = reference.root.chars().count();
    let mut tree = Tree {
        nodes: vec![Node::Name(reference.root.clone())],
        spans: vec![Span(start, short(length))],
    };
    for (index, part) in reference.path.iter().enumerate() {
        length += 1 + part.chars().count();
        tree.nodes
            .push(Node::Select(short(index), part.clone(), false));
        tree.spans.push(Span(start, short(length)));
    }
    tree
}

/// Reports a mistake of an expression.
pub(super) fn report(problems: &mut Problems<'_>, at: Place, mistake: Mistake) {
    match mistake.help {
        Some(help) => problems.add_help(codes::expression::TYPE, at, mistake.message, help),
        None => problems.add(codes::expression::TYPE, at, mistake.message),
    }
}

/// Returns the place of a part of an expression, or that of the expression if its text is not
/// written on one line as it is.
pub(super) fn inside(expression: &Expression, Span(start, length): Span) -> Place {
    let Place { at, used } = expression.at;
    if usize::try_from(at.length) != Ok(expression.text.chars().count()) {
        return expression.at;
    }
    let at = Position {
        column: at.column.saturating_add(start.into()),
        length: length.into(),
        ..at
    };
    Place { at, used }
}

/// Returns the part of a text.
pub(super) fn part(text: &str, Span(start, length): Span) -> String {
    let characters = text.chars().skip(start.into());
    characters.take(length.into()).collect()
}

/// Returns the type of the values that one of these JSON types allows.
pub(crate) fn of_json_types(names: &[String]) -> Type {
    let kinds = names.iter().map(|name| match name.as_str() {
        "null" => Scalars::NULL.into(),
        "boolean" => Scalars::BOOLEAN.into(),
        "number" | "integer" => Scalars::NUMBER.into(),
        "string" => Scalars::TEXT.into(),
        "array" => Type::list(Type::any()),
        "object" => Type::any_map(),
        _ => Type::any(),
    });
    kinds.fold(Type::never(), Type::or)
}
