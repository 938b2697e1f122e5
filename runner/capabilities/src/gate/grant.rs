//! Whether a call is granted, and what its refusal says.

use sidestep_events::{Class, Failure, Owner};
use sidestep_policy::{Call, Capability, Scope, StepScopes};

/// Whether the step may make the call; the refusal says what it may instead.
pub(super) fn covers(scopes: &StepScopes, call: &dyn Call) -> Result<(), Failure> {
    let Err(refusal) = scopes.allows(call) else {
        return Ok(());
    };
    if refusal.policy.is_some() {
        return Err(refusal.failure());
    }
    let capability = call.capability();
    let granted: Vec<String> = scopes
        .get(capability)
        .map(|grant| grant.scopes().iter().map(Scope::explain).collect())
        .unwrap_or_default();
    if granted.is_empty() {
        return Err(missing(capability, &call.describe()));
    }
    Err(refused(
        capability,
        "grant.scope",
        format!(
            "the step may not {}: that is outside what it is granted",
            call.describe()
        ),
    )
    .with_help(format!("it may {}", granted.join("; ")))
    .with_help(format!(
        "if it should, widen `{capability}` in the step's `grants`"
    )))
}

/// Whether the step is granted anything at all under the key; `call` says in words what for.
pub(super) fn any(scopes: &StepScopes, capability: Capability, call: &str) -> Result<(), Failure> {
    match scopes.get(capability) {
        Some(grant) if !grant.scopes().is_empty() => Ok(()),
        _ => Err(missing(capability, call)),
    }
}

fn missing(capability: Capability, call: &str) -> Failure {
    refused(
        capability,
        "grant.missing",
        format!("the step may not {call}: nothing is granted to it under `{capability}`"),
    )
    .with_help(format!(
        "if it should, add `{capability}` to the step's `grants`"
    ))
}

fn refused(capability: Capability, code: &'static str, message: String) -> Failure {
    Failure::new(Class::Refused, code, Owner::Author, message)
        .with_detail("capability", capability.as_str())
}
