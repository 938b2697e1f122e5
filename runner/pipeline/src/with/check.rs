//! Checks inputs against the plugin's schema.

use serde_json::Value;
use sidestep_evaluator::Finding;
use sidestep_events::codes;
use sidestep_policy::{locate, nearest};

use crate::expression::Code;
use crate::file::Step;
use crate::problems::Problems;
use crate::schema;

/// Checks the known inputs against the schema. Returns whether they are correct.
pub(crate) fn check(
    problems: &mut Problems<'_>,
    step: &Step,
    root: &Value,
    known: &Value,
    unknown: &[String],
) -> bool {
    let findings = match schema::validate(problems.evaluator(), root, known) {
        Ok(findings) => findings,
        Err(why) => {
            let plugin = step.plugin();
            let why = why.about(format!("the input schema of `{plugin}` can't be used"));
            problems.unanswered(Code::schema(codes::plugin::SCHEMA), step.uses_at, &why);
            return false;
        }
    };
    let before = problems.count();
    for finding in findings {
        let at_or_below = |at: &String| {
            let waits = finding.pointer.strip_prefix(at.as_str());
            let decides = at.strip_prefix(finding.pointer.as_str());
            waits.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                || (finding.alternatives && decides.is_some_and(|rest| rest.starts_with('/')))
        };
        if unknown.iter().any(at_or_below) {
            continue;
        }
        report(problems, step, root, &finding);
    }
    problems.count() == before
}

/// Reports further errors of inputs of which some could not be read; those are null in `known`.
pub(super) fn check_keys(problems: &mut Problems<'_>, step: &Step, root: &Value, known: &Value) {
    // An unusable schema is reported when the inputs are checked against it.
    for finding in schema::validate(problems.evaluator(), root, known).unwrap_or_default() {
        let unread = known.pointer(&finding.pointer).is_none_or(Value::is_null);
        if !unread && !finding.alternatives {
            report(problems, step, root, &finding);
        }
    }
}

fn report(problems: &mut Problems<'_>, step: &Step, root: &Value, finding: &Finding) {
    let path: Vec<String> = finding
        .pointer
        .split('/')
        .skip(1)
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect();
    let place = |path: &[String]| match &step.with {
        Some(with) if !path.is_empty() => locate(with, path),
        _ => step.with_at,
    };
    let mut schemas = schema::candidates(root, root);
    for part in &path {
        schemas = if part.parse::<usize>().is_ok() {
            schema::items(root, &schemas)
        } else {
            schema::property(root, &schemas, part)
        };
    }
    if finding.unexpected.is_empty() {
        let plugin = step.plugin();
        let message = match (path.last(), finding.message.strip_prefix("this ")) {
            (Some(name), Some(rest)) => format!("`{name}` of `{plugin}` {rest}"),
            (Some(name), None) if !finding.message.starts_with('`') => {
                format!("`{name}` of `{plugin}`: {}", finding.message)
            }
            _ => format!("{} in the inputs of `{plugin}`", finding.message),
        };
        problems.add(codes::input::WRONG, place(&path), message);
        return;
    }
    let known = schema::property_names(&schemas);
    for key in &finding.unexpected {
        let mut at = path.clone();
        at.push(key.clone());
        let message = format!("`{}` has no input `{key}`", step.plugin());
        let help = match nearest(key, known.iter().copied()) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("its inputs are {}", known.join(", ")),
        };
        problems.add_help(codes::input::UNKNOWN, place(&at), message, help);
    }
}
