//! What a plugin requests of a capability, as its manifest says it of its inputs.

use std::sync::Arc;

use serde_json::Value;
use sidestep_evaluator::Evaluator;
use sidestep_policy::{Capability, Reading, Scope, scopes};

use crate::expression::{self, Unanswered, Values};
use crate::schema;

/// Evaluates one of a manifest's requests over a plugin's inputs.
pub(crate) fn evaluate_request(
    evaluator: &Arc<dyn Evaluator>,
    key: &str,
    text: &str,
    inputs: &Value,
    schema: &Value,
) -> Result<(Capability, Vec<Scope>), Unanswered> {
    let capability = Capability::from_name(key)
        .ok_or_else(|| Unanswered::wrong(format!("`{key}` is not a capability")))?;
    let mut inputs = inputs.clone();
    schema::fill_defaults(&**evaluator, schema, &mut inputs)?;
    schema::fill_nulls(schema, &mut inputs);
    let mut values = Values::new(evaluator);
    values.roots.insert("inputs", inputs);
    let value = expression::evaluate(text, &values)?;
    let found = scopes(capability, &value, Reading::Grant).map_err(|problems| {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Unanswered::wrong(texts.join("; "))
    })?;
    Ok((capability, found))
}
