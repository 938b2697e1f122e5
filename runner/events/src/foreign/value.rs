use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A JSON value whose texts may be untrusted: an output, or a field of a log line.
///
/// Unlike a plain value it cannot be printed by accident; [`show::value`](crate::show::value) shows
/// it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ForeignValue(Value);

impl ForeignValue {
    /// Returns the exact value: for masks, for JSON, and for decisions in code. Code that prints
    /// must not call this.
    pub fn exact(&self) -> &Value {
        &self.0
    }

    /// Returns the exact value for changes in place, such as masking.
    pub fn exact_mut(&mut self) -> &mut Value {
        &mut self.0
    }

    /// Returns the exact value as an owned value.
    pub fn into_exact(self) -> Value {
        self.0
    }
}

/// The schema allows any value.
impl JsonSchema for ForeignValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Value::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Value::json_schema(generator)
    }
}

impl From<Value> for ForeignValue {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl PartialEq<Value> for ForeignValue {
    fn eq(&self, other: &Value) -> bool {
        self.0 == *other
    }
}
