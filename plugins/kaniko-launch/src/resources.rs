//! The resource requests and limits of the build's container.

use sidestep::serde_json::{Value, json};
use sidestep::{ByteSize, Diagnostic};

use crate::amount::{Amount, Cpu};
use crate::inputs::{Inputs, Known};

/// Returns what is wrong with the amounts.
pub(crate) fn problems(inputs: &Known) -> Vec<Diagnostic> {
    let Known {
        cpu,
        memory,
        ephemeral_storage,
        ..
    } = inputs;
    let found = [
        cpu.and_then(|amount| amount.problem("cpu")),
        memory.and_then(|amount| amount.problem("memory")),
        ephemeral_storage.and_then(|amount| amount.problem("ephemeralStorage")),
    ];
    found.into_iter().flatten().collect()
}

/// Returns the container's `resources`.
pub(crate) fn resources(inputs: &Inputs) -> Value {
    let mut resources = json!({ "requests": {}, "limits": {} });
    let mut put = |resource: &str, request: Option<String>, limit: Option<String>| {
        for (list, amount) in [("requests", request), ("limits", limit)] {
            if let Some(amount) = amount {
                resources[list][resource] = amount.into();
            }
        }
    };
    if let Some(Amount { request, limit }) = inputs.cpu {
        let text = |cpu: Cpu| cpu.to_string();
        put("cpu", request.map(text), limit.map(text));
    }
    let text = |size: ByteSize| size.to_string();
    if let Some(Amount { request, limit }) = inputs.memory {
        put("memory", request.map(text), limit.map(text));
    }
    if let Some(Amount { request, limit }) = inputs.ephemeral_storage {
        put("ephemeral-storage", request.map(text), limit.map(text));
    }
    resources
}

#[cfg(test)]
mod tests;
