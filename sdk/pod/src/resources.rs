//! The resource requests and limits of a container.

use sidestep::serde_json::{Value, json};
use sidestep::{ByteSize, Diagnostic};

use crate::amount::{Amount, Cpu};

/// The amounts of a container's resources, as far as they are set.
#[derive(Debug, Default, Clone, Copy)]
pub struct Resources {
    /// CPU time.
    pub cpu: Option<Amount<Cpu>>,
    /// Memory.
    pub memory: Option<Amount<ByteSize>>,
    /// Disk space.
    pub ephemeral_storage: Option<Amount<ByteSize>>,
}

impl Resources {
    /// Returns what is wrong with the amounts. `code` is the code of each problem.
    pub fn problems(&self, code: &str) -> Vec<Diagnostic> {
        let found = [
            self.cpu.and_then(|amount| amount.problem("cpu", code)),
            self.memory
                .and_then(|amount| amount.problem("memory", code)),
            self.ephemeral_storage
                .and_then(|amount| amount.problem("ephemeralStorage", code)),
        ];
        found.into_iter().flatten().collect()
    }
}

/// Returns the container's `resources`.
pub fn resources(amounts: Resources) -> Value {
    let mut resources = json!({ "requests": {}, "limits": {} });
    let mut put = |resource: &str, request: Option<String>, limit: Option<String>| {
        for (list, amount) in [("requests", request), ("limits", limit)] {
            if let Some(amount) = amount {
                resources[list][resource] = amount.into();
            }
        }
    };
    if let Some(Amount { request, limit }) = amounts.cpu {
        let text = |cpu: Cpu| cpu.to_string();
        put("cpu", request.map(text), limit.map(text));
    }
    let text = |size: ByteSize| size.to_string();
    if let Some(Amount { request, limit }) = amounts.memory {
        put("memory", request.map(text), limit.map(text));
    }
    if let Some(Amount { request, limit }) = amounts.ephemeral_storage {
        put("ephemeral-storage", request.map(text), limit.map(text));
    }
    resources
}

#[cfg(test)]
mod tests;
