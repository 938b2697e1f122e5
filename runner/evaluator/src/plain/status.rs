//! Expressions that are a status function. Each step without a condition of its own has one.

use serde_json::Value;

use crate::{Analysis, Kind, Statuses};

/// Returns the analysis of a status function.
pub(super) fn analyse(text: &str) -> Option<Analysis> {
    let name = name(text)?;
    value(name, Statuses::default())?;
    Some(Analysis {
        functions: vec![name.to_owned()],
        yields: Some(Kind::Boolean),
        ..Analysis::default()
    })
}

/// Returns the value of a status function.
pub(super) fn evaluate(text: &str, statuses: Statuses) -> Option<Value> {
    value(name(text)?, statuses).map(Value::Bool)
}

fn name(text: &str) -> Option<&str> {
    text.strip_suffix("()")
}

fn value(name: &str, statuses: Statuses) -> Option<bool> {
    match name {
        "success" => Some(statuses.success),
        "failure" => Some(statuses.failure),
        "cancelled" => Some(statuses.cancelled),
        "always" => Some(true),
        _ => None,
    }
}
