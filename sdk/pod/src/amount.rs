//! Amounts of a node's resources, as the step's inputs write them.

mod cpu;

use std::fmt;

use sidestep::Diagnostic;
use sidestep::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use sidestep::serde::de::{DeserializeOwned, Error as _};
use sidestep::serde::{Deserialize, Deserializer, Serialize};
use sidestep::serde_json::{self, Value};

pub use cpu::Cpu;

/// An amount of a resource: one quantity for request and limit, or each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(crate = "sidestep::serde")]
pub struct Amount<T> {
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
    /// Returns why the cluster would refuse the amount: a request above its limit. `code` is the
    /// code of the problem.
    pub fn problem(&self, input: &str, code: &str) -> Option<Diagnostic> {
        let (Some(request), Some(limit)) = (&self.request, &self.limit) else {
            return None;
        };
        (request > limit).then(|| {
            let message = format!("`{input}` requests {request}, more than its limit of {limit}");
            Diagnostic::error(code, message).help("lower `request` or raise `limit`")
        })
    }
}
