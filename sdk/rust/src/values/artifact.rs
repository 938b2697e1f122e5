//! A stored artifact.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// An artifact of the run: the step that stored it, and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// The step that stored it.
    pub step: String,
    /// Its name.
    pub name: String,
}

impl JsonSchema for Artifact {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Artifact".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "properties": { "step": { "type": "string" }, "name": { "type": "string" } },
            "required": ["step", "name"],
            "additionalProperties": false,
            "x-sidestep": "artifact",
        })
    }
}
