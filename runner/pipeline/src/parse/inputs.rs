//! Reads the pipeline's inputs.

use indexmap::IndexMap;
use serde_json::Value;
use sidestep_events::Place;
use sidestep_events::codes;
use sidestep_policy::tree::{Node, NodeKind};

use crate::context::{self, IN_INPUTS};
use crate::expression::{self, Code};
use crate::file::{Input, InputKind};
use crate::problems::Problems;
use crate::{read, scalars};

const INPUT: &[&str] = &["type", "description", "default", "pattern", "enum"];

pub(super) fn read(problems: &mut Problems<'_>, node: &Node) -> IndexMap<String, Input> {
    let mut inputs = IndexMap::new();
    for (name, at, node) in read::named(problems, node, "`inputs`") {
        if !read::keys(problems, node, "an input", INPUT) {
            continue;
        }
        let kind = kind(problems, name, at, node);
        if let Some(text) = node.get("description") {
            read::text(problems, text, "`description`");
        }
        let default = node
            .get("default")
            .map(|node| context::written(problems, IN_INPUTS, node));
        let pattern = node.get("pattern").and_then(|node| pattern(problems, node));
        let choices = node.get("enum").and_then(|node| choices(problems, node));
        if let Some(kind) = kind {
            never_given(problems, kind, node);
            let input = Input {
                at,
                kind,
                default,
                pattern,
                choices,
            };
            inputs.insert(name.to_owned(), input);
        }
    }
    inputs
}

fn kind(problems: &mut Problems<'_>, name: &str, at: Place, node: &Node) -> Option<InputKind> {
    match node.get("type") {
        Some(kind) => {
            let text = kind.scalar().map_or("", |scalar| scalar.text.as_str());
            let known = InputKind::from_name(text);
            if known.is_none() {
                let message = format!("`{text}` is not an input type");
                problems.unknown(
                    codes::input::TYPE,
                    kind.at,
                    message,
                    text,
                    InputKind::NAMES.iter().copied(),
                );
            }
            known
        }
        None => {
            let help = format!("write `{name}: {{ type: string }}`");
            problems.add_help(
                codes::input::TYPE,
                at,
                format!("the input `{name}` has no type"),
                help,
            );
            None
        }
    }
}

fn pattern(problems: &mut Problems<'_>, node: &Node) -> Option<String> {
    let text = read::text(problems, node, "`pattern`")?;
    match expression::matches(problems.evaluator(), &text, "") {
        Ok(_) => Some(text),
        Err(why) => {
            let why = why.about("this pattern can't be used");
            problems.unanswered(Code::expression(codes::input::PATTERN), node.at, &why);
            None
        }
    }
}

fn choices(problems: &mut Problems<'_>, node: &Node) -> Option<Vec<Value>> {
    let NodeKind::List(items) = &node.kind else {
        problems.add(
            codes::pipeline::TYPE,
            node.at,
            "`enum` must be a list of values",
        );
        return None;
    };
    let mut values = Vec::new();
    for item in items {
        match item.scalar().map(|scalar| scalars::value(scalar, &[])) {
            Some(Ok(value)) => values.push(value),
            Some(Err((message, help))) => {
                problems.add_help(codes::yaml::AMBIGUOUS, item.at, message, help);
            }
            None => problems.add(
                codes::pipeline::TYPE,
                item.at,
                "a choice must be a single value",
            ),
        }
    }
    Some(values)
}

/// Reports choices of the wrong type, and a pattern on a type that is never matched.
fn never_given(problems: &mut Problems<'_>, kind: InputKind, node: &Node) {
    let name = kind.as_str();
    if let Some(pattern) = node.get("pattern").filter(|_| kind != InputKind::String) {
        let message = format!(
            "only inputs of type string can have a pattern, and this one is of type {name}"
        );
        problems.add(codes::input::PATTERN, pattern.at, message);
    }
    let choices = node.get("enum").map(|node| &node.kind);
    let Some(NodeKind::List(items)) = choices else {
        return;
    };
    for item in items {
        let Some(Ok(value)) = item.scalar().map(|scalar| scalars::value(scalar, &[])) else {
            continue;
        };
        if kind.accept(&value).as_ref() != Some(&value) {
            let message = format!("{value} is not a valid value for an input of type {name}");
            match value {
                Value::Number(_) | Value::Bool(_) if kind == InputKind::String => {
                    let help = format!("write \"{value}\"");
                    problems.add_help(codes::input::TYPE, item.at, message, help);
                }
                _ => problems.add(codes::input::TYPE, item.at, message),
            }
        }
    }
}
