//! Reads values from a file of their own: inputs, grants, settings.

use serde_json::{Map, Value};
use sidestep_events::Diagnostic;
use sidestep_events::codes;
use sidestep_policy::tree::{self, Node, NodeKind};

use crate::file::Source;
use crate::scalars;

/// Reads a YAML file of values by the rules of a pipeline file: a scalar that some YAML parser
/// reads as another type than it looks like (`1.10`, `010`, `off`) is an error, and quotes fix it.
/// An empty file is null.
///
/// # Errors
/// Returns everything that is wrong with the file, each with its place.
pub fn read_values(source: &Source) -> Result<Value, Vec<Diagnostic>> {
    let tree = tree::read(&source.name, &source.text);
    let mut problems = tree.problems;
    let value = match &tree.root {
        Some(root) => value(root, &source.name, &mut problems),
        None => Value::Null,
    };
    if problems.is_empty() {
        Ok(value)
    } else {
        Err(problems)
    }
}

fn value(node: &Node, file: &str, problems: &mut Vec<Diagnostic>) -> Value {
    match &node.kind {
        NodeKind::Scalar(scalar) => scalars::value(scalar, &[]).unwrap_or_else(|(why, help)| {
            let problem = Diagnostic::error(codes::yaml::AMBIGUOUS, why).with_help(help);
            problems.push(problem.at(file, node.at));
            Value::Null
        }),
        NodeKind::List(items) => items
            .iter()
            .map(|item| value(item, file, problems))
            .collect(),
        NodeKind::Map(entries) => {
            let entries = entries.iter();
            let entries =
                entries.map(|(key, item)| (key.text.clone(), value(item, file, problems)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
    }
}
