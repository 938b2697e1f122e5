//! The declaration of an output.

use std::fmt;

use sidestep::serde_json::Value;

/// A value that the command writes.
#[sidestep::data]
#[derive(Debug, Clone)]
pub(crate) struct Output {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Type,
    /// Its meaning, for readers of the pipeline.
    #[serde(default)]
    pub description: Option<String>,
    /// The only values that it may have.
    #[serde(default, rename = "enum")]
    pub allowed: Vec<Value>,
    /// Whether the command may leave it out.
    #[serde(default)]
    pub optional: bool,
}

/// The type of an output, as in a pipeline's inputs.
#[sidestep::data]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    /// A text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list of any values.
    Array,
    /// A map of any values.
    Object,
}

impl Type {
    /// Returns whether a value has this type.
    pub(crate) fn fits(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
        }
    }

    /// Returns the type of a value, as an output's declaration names it.
    pub(crate) fn name_of(value: &Value) -> &'static str {
        match value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "a string",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Boolean => "a boolean",
            Self::Array => "an array",
            Self::Object => "an object",
        })
    }
}
