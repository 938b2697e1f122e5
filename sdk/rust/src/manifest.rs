//! A plugin's manifest.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::{Map, Value};

/// The version of the contract (`sidestep:step`) that this SDK implements.
pub const API_VERSION: &str = "0.1.0";

/// The manifest, as it is written into the component.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The version of the manifest's format: 1.
    pub manifest_version: u32,
    /// The plugin's name.
    pub name: &'static str,
    /// The crate's version.
    pub version: &'static str,
    /// The plugin's description, from its doc comment.
    pub description: String,
    /// The contract's version.
    pub api_version: &'static str,
    /// The JSON Schema (draft 2020-12) of the inputs.
    pub inputs: Value,
    /// The JSON Schema (draft 2020-12) of the outputs.
    pub outputs: Value,
    /// A CEL expression for each grant key, which yields the requested scopes.
    pub requests: Map<String, Value>,
    /// Whether the same inputs always give the same outputs without side effects,
    /// so that the step may be cached.
    pub pure: bool,
}

/// The facts that the attribute macro reads from the source.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// The plugin's name.
    pub name: &'static str,
    /// The crate's version.
    pub version: &'static str,
    /// The doc comment's lines.
    pub description: &'static str,
    /// Grant keys and CEL texts.
    pub requests: &'static [(&'static str, &'static str)],
    /// Whether it is pure.
    pub pure: bool,
}

impl Facts {
    /// Returns the manifest of a plugin with these inputs and outputs.
    pub fn manifest<I: JsonSchema, O: JsonSchema>(&self) -> Manifest {
        let settings = SchemaSettings::draft2020_12();
        let inputs = settings.clone().for_deserialize().into_generator();
        let outputs = settings.for_serialize().into_generator();
        Manifest {
            manifest_version: 1,
            name: self.name,
            version: self.version,
            description: self.description.trim().to_owned(),
            api_version: API_VERSION,
            inputs: inputs.into_root_schema_for::<I>().into(),
            outputs: whole::<O>(outputs.into_root_schema_for::<O>()),
            requests: self
                .requests
                .iter()
                .map(|(key, scopes)| ((*key).to_owned(), Value::from(*scopes)))
                .collect(),
            pure: self.pure,
        }
    }
}

/// Returns the outputs' schema. `()` becomes an object without properties.
fn whole<O: JsonSchema>(schema: Schema) -> Value {
    if O::schema_name() == <() as JsonSchema>::schema_name() {
        serde_json::json!({ "type": "object", "properties": {}, "additionalProperties": false })
    } else {
        schema.into()
    }
}
