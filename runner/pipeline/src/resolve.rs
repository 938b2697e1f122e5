//! Resolves the pipeline's inputs: passed values, defaults, and their checks.

use std::sync::Arc;

use serde_json::{Map, Value};
use sidestep_events::{Diagnostic, Place, codes};
use sidestep_policy::nearest;
use sidestep_policy::tree::{Node, NodeKind};

use crate::expression::{self, Code, Values};
use crate::file::{Input, InputKind, Pipeline};
use crate::given::PlanInputs;
use crate::problems::Problems;
use crate::scalars;
use crate::with::Reader;

/// Returns the environment variables that the file lists; unset ones are null.
pub(crate) fn env(pipeline: &Pipeline, all: &Value) -> Map<String, Value> {
    pipeline
        .env
        .iter()
        .map(|(name, _)| {
            let value = all.get(name).cloned().unwrap_or(Value::Null);
            (name.clone(), value)
        })
        .collect()
}

pub(crate) fn inputs(
    problems: &mut Problems<'_>,
    pipeline: &Pipeline,
    given: &PlanInputs<'_>,
    env: &Map<String, Value>,
) -> Map<String, Value> {
    for name in given.inputs.keys() {
        if !pipeline.inputs.contains_key(name) && !pipeline.declared.inputs.contains(name) {
            let diagnostic = Diagnostic::error(
                codes::input::UNKNOWN,
                format!("the pipeline has no input `{name}`"),
            );
            let known = pipeline.inputs.keys().map(String::as_str);
            let help = match nearest(name, known.clone()) {
                Some(known) => format!("did you mean `{known}`?"),
                None if pipeline.inputs.is_empty() => "it has no inputs".to_owned(),
                None => format!("its inputs are {}", known.collect::<Vec<_>>().join(", ")),
            };
            problems.push_anywhere(diagnostic.with_help(help));
        }
    }
    let mut values = Values::new(&given.evaluator);
    for (name, value) in [
        ("git", given.git.clone()),
        ("run", given.run.clone()),
        ("env", Value::Object(env.clone())),
    ] {
        values.roots.insert(name, Arc::new(value));
    }
    let mut inputs = Map::new();
    for (name, input) in &pipeline.inputs {
        let value = match (given.inputs.get(name), &input.default) {
            (Some(value), other) => {
                // A default that can never be used is an error even if it is not needed now.
                if other
                    .as_ref()
                    .is_some_and(|written| written.expressions.is_empty())
                {
                    default(problems, name, input, &values);
                }
                accept(problems, name, input, value)
            }
            (None, Some(_)) => default(problems, name, input, &values),
            (None, None) => {
                problems.add_help(
                    codes::input::MISSING,
                    input.at,
                    format!("the input `{name}` has no value"),
                    format!("give one: -i {name}=VALUE"),
                );
                None
            }
        };
        if let Some(value) = value {
            inputs.insert(name.clone(), value);
        }
    }
    inputs
}

fn accept(problems: &mut Problems<'_>, name: &str, input: &Input, value: &Value) -> Option<Value> {
    let Some(value) = input.kind.accept(value) else {
        problems.add_help(
            codes::input::TYPE,
            input.at,
            format!(
                "the input `{name}` is of type {}, but {} was given",
                input.kind.as_str(),
                brief(value)
            ),
            format!("give one: -i {name}=VALUE, or -i {name}=@FILE.json for lists and maps"),
        );
        return None;
    };
    if let Some(choices) = &input.choices
        && !choices.contains(&value)
    {
        let known: Vec<String> = choices.iter().map(brief).collect();
        problems.add_help(
            codes::input::CHOICE,
            input.at,
            format!("{} is not a choice for the input `{name}`", brief(&value)),
            format!("choose one of {}", known.join(", ")),
        );
        return None;
    }
    if let (Some(pattern), Some(text)) = (&input.pattern, value.as_str())
        && !matches(problems, name, input.at, pattern, text)?
    {
        let message = format!(
            "the input `{name}` does not match {pattern}: {}",
            brief(&value)
        );
        problems.add_help(
            codes::input::PATTERN,
            input.at,
            message,
            format!("give one that does: -i {name}=VALUE"),
        );
        return None;
    }
    Some(value)
}

/// Returns whether a value matches the input's pattern. Reports a pattern that cannot be evaluated,
/// and then returns `None`.
fn matches(
    problems: &mut Problems<'_>,
    name: &str,
    at: Place,
    pattern: &str,
    text: &str,
) -> Option<bool> {
    expression::matches(problems.evaluator(), pattern, text)
        .map_err(|why| {
            let why = why.about(format!("the pattern of the input `{name}` can't be used"));
            problems.unanswered(Code::expression(codes::input::PATTERN), at, &why);
        })
        .ok()
}

fn default(
    problems: &mut Problems<'_>,
    name: &str,
    input: &Input,
    values: &Values,
) -> Option<Value> {
    let written = input.default.as_ref()?;
    let before = problems.count();
    let value = if written.expressions.is_empty() {
        literal(problems, values, &written.node, input.kind)
    } else {
        let template = Reader::new(values, &Value::Null).read(problems, &written.node, &[]);
        let (value, unknown) = template.known(values);
        unknown.is_empty().then_some(value)
    }?;
    if problems.count() > before {
        return None;
    }
    accept(problems, name, input, &value)
}

fn literal(
    problems: &mut Problems<'_>,
    values: &Values,
    node: &Node,
    kind: InputKind,
) -> Option<Value> {
    let wanted: &[&str] = match kind {
        InputKind::String => &["string"],
        InputKind::Integer => &["integer"],
        InputKind::Number => &["number"],
        InputKind::Boolean => &["boolean"],
        InputKind::List | InputKind::Map => &[],
    };
    if let NodeKind::Scalar(scalar) = &node.kind {
        return match scalars::value(scalar, wanted) {
            Ok(value) => Some(value),
            Err((message, help)) => {
                problems.add_help(codes::yaml::AMBIGUOUS, node.at, message, help);
                None
            }
        };
    }
    let template = Reader::new(values, &Value::Null).read(problems, node, &[]);
    Some(template.known(values).0)
}

/// Returns a value in short form for a message.
fn brief(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 60 {
        text
    } else {
        let cut: String = text.chars().take(57).collect();
        format!("{cut}…")
    }
}
