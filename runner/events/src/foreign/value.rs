use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A JSON value with texts that a stranger may have written: an output, a field of a log's line.
///
/// Unlike the bare value it can't be printed by accident; [`show::value`](crate::show::value) shows
/// it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ForeignValue(Value);

impl ForeignValue {
    /// Returns the value exactly as it was made: for masks, for JSON, and for code that decides.
    /// Nothing that prints may call this.
    pub fn exact(&self) -> &Value {
        &self.0
    }

    /// Returns the exact value for a change in place, as masks make it.
    pub fn exact_mut(&mut self) -> &mut Value {
        &mut self.0
    }

    /// Returns the exact value, owned.
    pub fn into_exact(self) -> Value {
        self.0
    }
}

/// To who reads the JSON it is a value like any other.
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
