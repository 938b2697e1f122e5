//! The refusals of requests that no grant covers.

use crate::Capability;
use crate::capability::Scoped;
use crate::grants;
use crate::refusal::Refusal;
use crate::scope::Scope;

/// Returns the refusal of requests that no grant covers, or `None` if grants cover them all.
pub(crate) fn uncovered(
    capability: Capability,
    requested: &[Scope],
    granted: &[Scope],
) -> Option<Refusal> {
    if capability == Capability::Secrets {
        return None;
    }
    let missing: Vec<Scope> = requested
        .iter()
        .filter(|scope| !scope.is_covered_by(granted.iter()))
        .cloned()
        .collect();
    if missing.is_empty() {
        return None;
    }
    let lines: Vec<String> = missing.iter().map(Scope::explain).collect();
    // The key is written only once, so existing scopes go into the same list.
    let all: Vec<Scope> = granted.iter().chain(&missing).cloned().collect();
    Some(Refusal::missing(
        capability,
        format!(
            "the plugin wants to {}, but no grant of `{capability}` covers that",
            lines.join("; ")
        ),
        Some(grants::yaml(capability, &all)),
    ))
}

/// Returns the refusal of a request that is not granted and depends on values that only the run
/// provides.
pub(crate) fn later(capability: Capability, on: &str, automatic: bool) -> Refusal {
    let fields: Vec<String> = capability
        .fields()
        .iter()
        .map(|field| format!("{}: …", field.name))
        .collect();
    let yaml = format!("grants:\n  {capability}: [{{ {} }}]", fields.join(", "));
    let why = if automatic {
        "an automatic grant covers only what is known when the plan is made"
    } else {
        "it is not granted explicitly"
    };
    Refusal::missing(
        capability,
        format!("the plugin's request under `{capability}` depends on {on}, and {why}"),
        Some(yaml),
    )
}
