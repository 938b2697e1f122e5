//! Evaluates the requests of a plugin's manifest over the plugin's inputs.

mod check;
mod sample;

use std::sync::Arc;

use serde_json::Value;
use sidestep_evaluator::Evaluator;
use sidestep_policy::{Capability, Kind, Pattern, Reading, Scope, ScopeError, scopes};

use crate::expression::{self, Unanswered, Values};
use crate::schema;

pub use check::check_requests;

/// The extra key of a request of `workspace`, beside the keys of its scope: the folder that the
/// links of its paths may not leave.
const LINKS_WITHIN: &str = "linksWithin";

/// The value of a request.
pub(crate) struct Evaluated {
    pub(crate) capability: Capability,
    pub(crate) scopes: Vec<Scope>,
    /// The folder that each scope's links may not leave; empty for the workspace.
    pub(crate) within: Vec<String>,
}

/// Evaluates one of a manifest's requests over a plugin's inputs.
pub(crate) fn evaluate_request(
    evaluator: &Arc<dyn Evaluator>,
    key: &str,
    text: &str,
    inputs: &Value,
    schema: &Value,
) -> Result<Evaluated, Unanswered> {
    let capability = Capability::from_name(key)
        .ok_or_else(|| Unanswered::wrong(format!("`{key}` is not a capability")))?;
    let mut inputs = inputs.clone();
    schema::fill_defaults(&**evaluator, schema, &mut inputs)?;
    schema::fill_nulls(schema, &mut inputs);
    let mut values = Values::new(evaluator);
    values.roots.insert("inputs", Arc::new(inputs));
    let mut value = expression::evaluate(text, &values)?;
    let wrong = |problems: Vec<ScopeError>| {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Unanswered::wrong(texts.join("; "))
    };
    let mut within = Vec::new();
    if capability == Capability::Workspace {
        let one = match &mut value {
            Value::Array(scopes) => scopes.as_mut_slice(),
            scope => std::slice::from_mut(scope),
        };
        for scope in one {
            within.push(links_within(scope)?);
        }
    }
    let scopes = scopes(capability, &value, Reading::Grant).map_err(wrong)?;
    Ok(Evaluated {
        capability,
        scopes,
        within,
    })
}

/// Removes the `linksWithin` key from a scope and returns its folder.
fn links_within(scope: &mut Value) -> Result<String, Unanswered> {
    let Some(folder) = scope
        .as_object_mut()
        .and_then(|map| map.shift_remove(LINKS_WITHIN))
    else {
        return Ok(String::new());
    };
    let text = folder.as_str();
    let folder = text.and_then(|text| Pattern::parse(Kind::Path, text).ok());
    let folder = folder.filter(Pattern::is_exact);
    let folder = folder.ok_or_else(|| {
        Unanswered::wrong(format!(
            "`{LINKS_WITHIN}` must be a folder of the workspace"
        ))
    })?;
    Ok(folder.as_str().to_owned())
}
