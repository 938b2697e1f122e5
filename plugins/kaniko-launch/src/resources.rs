//! The resource requests and limits of the build's container.

mod cpu;

use std::fmt;

use sidestep::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use sidestep::serde::de::{DeserializeOwned, Error as _};
use sidestep::serde::{Deserialize, Deserializer, Serialize};
use sidestep::serde_json::{self, Value, json};
use sidestep::{ByteSize, Diagnostic, codes};

pub(crate) use cpu::Cpu;

use crate::inputs::{Inputs, Known};

/// An amount of a resource: one quantity for request and limit, or each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(crate = "sidestep::serde")]
pub(crate) struct Amount<T> {
    /// The amount that a node must have free.
    pub request: Option<T>,
    /// The most that the container may use.
    pub limit: Option<T>,
}

/// The form with both.
#[derive(Deserialize)]
#[serde(crate = "sidestep::serde", deny_unknown_fields)]
struct Each<T> {
    request: Option<T>,
    limit: Option<T>,
}

impl<'de, T: DeserializeOwned + Copy> Deserialize<'de> for Amount<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let (request, limit) = if value.is_object() {
            let each: Each<T> = serde_json::from_value(value).map_err(D::Error::custom)?;
            (each.request, each.limit)
        } else {
            let both: T = serde_json::from_value(value).map_err(D::Error::custom)?;
            (Some(both), Some(both))
        };
        Ok(Self { request, limit })
    }
}

impl<T: JsonSchema> JsonSchema for Amount<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("AmountOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let quantity = T::json_schema(generator);
        json_schema!({ "anyOf": [
            quantity,
            {
                "type": "object",
                "properties": { "request": quantity, "limit": quantity },
                "additionalProperties": false,
                "minProperties": 1,
            },
        ] })
    }
}

impl<T: PartialOrd + fmt::Display> Amount<T> {
    /// Returns why the cluster would refuse the amount: a request above its limit.
    fn problem(&self, input: &str) -> Option<Diagnostic> {
        let (Some(request), Some(limit)) = (&self.request, &self.limit) else {
            return None;
        };
        (request > limit).then(|| {
            let message = format!("`{input}` requests {request}, more than its limit of {limit}");
            Diagnostic::error(codes::kaniko::RESOURCES, message)
                .help("lower `request` or raise `limit`")
        })
    }
}

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
