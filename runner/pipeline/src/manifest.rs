use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sidestep_evaluator::Evaluator;
use sidestep_events::{Failure, Owner, codes};

use crate::expression::Code;
use crate::schema;

/// A plugin's description of itself: the `sidestep:manifest` section of its component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// The version of the section's format: 1.
    pub manifest_version: u32,
    /// The plugin's name, without the collection that it is published in: `context-upload`.
    pub name: String,
    /// Its version (semver).
    pub version: String,
    /// A description in one sentence.
    #[serde(default)]
    pub description: String,
    /// The version of `sidestep:step` that it was built for.
    pub api_version: String,
    /// The JSON Schema (draft 2020-12) of its inputs.
    pub inputs: Value,
    /// The JSON Schema (draft 2020-12) of its outputs.
    pub outputs: Value,
    /// Its requests: for each grant key, a CEL expression over `inputs` that yields scopes.
    #[serde(default)]
    pub requests: IndexMap<String, String>,
    /// Whether equal inputs give equal outputs, without side effects.
    #[serde(default)]
    pub pure: bool,
}

impl Manifest {
    /// Checks outputs against the plugin's own schema and returns the errors, one line each. The
    /// lines name places and rules, never values.
    ///
    /// # Errors
    ///
    /// Returns the failure of a step whose plugin's schema exceeds a budget.
    pub fn check_outputs(
        &self,
        evaluator: &dyn Evaluator,
        outputs: &Value,
    ) -> Result<Vec<String>, Failure> {
        match schema::validate(evaluator, &self.outputs, outputs) {
            Ok(findings) => Ok(findings.iter().map(ToString::to_string).collect()),
            Err(why) if why.is_wrong() => Ok(vec![why.to_string()]),
            Err(why) => Err(why
                .about(format!("the output schema of `{}`", self.name))
                .failure(Code::schema(codes::plugin::BAD_OUTPUTS), Owner::Plugin)),
        }
    }
}
