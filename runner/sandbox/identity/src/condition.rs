//! Conditions on bindings, evaluated as IAM does: an undecidable condition does not grant.
//!
//! The evaluator has no cost limit and recurses on its input. An expression is therefore bounded
//! before it is parsed, and runs on a thread with a stack that is large enough for the bounds.

use cel::{Context, Program, Value};
use jiff::Timestamp;

/// The maximum length of an expression, in bytes.
const MAX_LENGTH: usize = 4096;
/// The maximum nesting of brackets.
const MAX_DEPTH: usize = 32;
/// The evaluating thread's stack, in bytes.
const STACK: usize = 16 * 1024 * 1024;
/// The macros that iterate, and so could run for long. IAM conditions do not have them.
const MACROS: [&str; 6] = ["map", "filter", "all", "exists", "exists_one", "transform"];

/// The variables of a condition.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) now: Timestamp,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) service: String,
}

/// Returns whether the condition holds; `None` if it cannot be decided.
pub(crate) fn evaluate(expression: &str, facts: Facts) -> Option<bool> {
    if !is_bounded(expression) {
        return None;
    }
    let expression = expression.to_owned();
    std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || run(&expression, &facts))
        .ok()?
        .join()
        .ok()
        .flatten()
}

fn is_bounded(expression: &str) -> bool {
    if expression.len() > MAX_LENGTH {
        return false;
    }
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    for c in expression.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    let words = expression.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    deepest <= MAX_DEPTH && !words.into_iter().any(|w| MACROS.contains(&w))
}

fn run(expression: &str, facts: &Facts) -> Option<bool> {
    let program = Program::compile(expression).ok()?;
    let moment = Program::compile(&format!("timestamp('{}')", facts.now)).ok()?;
    let now = moment.execute(&Context::default()).ok()?;
    let mut context = Context::default();
    let request = std::collections::HashMap::from([("time".to_owned(), now)]);
    let resource = std::collections::HashMap::from([
        ("name".to_owned(), Value::from(facts.name.clone())),
        ("type".to_owned(), Value::from(facts.kind.clone())),
        ("service".to_owned(), Value::from(facts.service.clone())),
    ]);
    context.add_variable_from_value("request", request);
    context.add_variable_from_value("resource", resource);
    match program.execute(&context).ok()? {
        Value::Bool(granted) => Some(granted),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(expression: &str) -> Option<bool> {
        evaluate(
            expression,
            Facts {
                now: "2026-06-01T12:00:00Z".parse().unwrap(),
                name: "projects/_/buckets/contexts".into(),
                kind: "storage.googleapis.com/Bucket".into(),
                service: "storage.googleapis.com".into(),
            },
        )
    }

    #[test]
    fn time_and_resource_are_known() {
        assert_eq!(
            holds("request.time < timestamp('2027-01-01T00:00:00Z')"),
            Some(true)
        );
        assert_eq!(
            holds("request.time < timestamp('2025-01-01T00:00:00Z')"),
            Some(false)
        );
        assert_eq!(
            holds("resource.name.startsWith('projects/_/buckets/con')"),
            Some(true)
        );
        assert_eq!(
            holds("resource.type == 'x' || resource.service == 'storage.googleapis.com'"),
            Some(true)
        );
    }

    #[test]
    fn what_cannot_be_decided_is_said_so() {
        for expression in [
            "",
            "resource.name",
            "request.nothing == 1",
            "api.getAttribute('x', [])",
            "1 +",
            "\u{0}",
        ] {
            assert_eq!(holds(expression), None, "{expression:?}");
        }
    }

    #[test]
    fn hostile_expressions_are_refused_before_they_run() {
        let terms = vec!["1"; 20_000].join("+");
        let deep = format!("{}true{}", "(".repeat(2000), ")".repeat(2000));
        let lists = "[1,2].map(a, [1,2].map(b, a))".to_owned();
        for expression in [terms, deep, lists] {
            assert_eq!(holds(&expression), None);
        }
        // The longest accepted expression must not crash the process.
        let longest = vec!["1"; MAX_LENGTH / 2].join("+");
        assert_eq!(holds(&longest), None);
        assert_ne!(
            holds(&format!("{}true", "!".repeat(MAX_LENGTH - 4))),
            Some(false)
        );
    }
}
