//! Renders the outputs of a run.

use serde_json::Value;
use sidestep_events::{ForeignValue, Status, show};

use super::super::paint::Paint;

/// The maximum length of a structure that is shown in full, in characters.
const LONGEST_STRUCTURE: usize = 160;

/// Formats a value for the summary: text as it is, a small structure as JSON, a large one by its
/// size.
fn shown(value: &ForeignValue) -> String {
    let shown = show::value(value);
    let count = match value.exact() {
        Value::Array(items) => items.len(),
        Value::Object(map) => map.len(),
        _ => return shown,
    };
    if shown.chars().count() <= LONGEST_STRUCTURE {
        return shown;
    }
    format!("{count} entries; --output json prints them")
}

/// Returns the outputs, one per line.
pub(super) fn lines(outputs: Option<&ForeignValue>, status: Status, paint: Paint) -> Vec<String> {
    let Some(Value::Object(map)) = outputs.map(ForeignValue::exact) else {
        return Vec::new();
    };
    if status != Status::Succeeded || map.is_empty() {
        return Vec::new();
    }
    let width = map
        .keys()
        .map(|key| show::line(key).chars().count())
        .max()
        .unwrap_or(0);
    let mut lines = vec![String::new()];
    for (name, value) in map {
        let text = shown(&value.clone().into());
        let name = format!("{:<width$}", show::line(name));
        lines.push(format!("  {}  {}", paint.bold(&name), paint.accent(&text)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_structure_that_nobody_would_read_is_counted() {
        assert_eq!(shown(&json!("text").into()), "text");
        assert_eq!(shown(&json!({ "a": [1, 2] }).into()), r#"{"a":[1,2]}"#);
        let many: Vec<String> = (0..40).map(|n| format!("item {n}")).collect();
        assert_eq!(
            shown(&json!(many).into()),
            "40 entries; --output json prints them"
        );
    }
}
