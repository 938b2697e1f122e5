use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use sidestep_evaluator::Evaluator;
use sidestep_events::{
    Diagnostic, Failure, Foreign, GrantSource, Owner, PlannedGrant, PlannedStep, PluginRef,
    Position, codes,
};
use sidestep_names::{file_name, object_name};
use sidestep_policy::{Capability, StepScopes};

use crate::expression::Code;
use crate::schema;
use crate::template::Template;

/// The plan of a run: a pipeline with its inputs, its plugins and the permissions of each step.
/// `plan` shows this value, and `run` executes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The version of the plan's format; 1.
    pub version: u32,
    /// The pipeline's name.
    pub name: Foreign,
    /// The pipeline's file.
    pub file: Foreign,
    /// The pipeline's inputs, with defaults filled in.
    pub inputs: Map<String, Value>,
    /// The value of `git` in expressions.
    pub git: Value,
    /// The value of `run` in expressions. It differs from run to run and is not part of the digest.
    pub run: Value,
    /// The value of `env` in expressions: only the variables that the file lists.
    pub env: Map<String, Value>,
    /// The source of each secret of the pipeline.
    pub secrets: IndexMap<String, SecretSource>,
    /// The maximum number of instances that run side by side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parallel: Option<u32>,
    /// The timeout of the whole run, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Every step instance, those of `finally` last; each comes after the instances it needs.
    pub instances: Vec<Instance>,
    /// The JSON Schema of each plugin's inputs, by the plugin's digest. It fills in defaults and
    /// checks values that only the run provides. It is stored once per plugin, not per instance,
    /// because untrusted input controls the number and the size of both.
    pub input_schemas: BTreeMap<String, Arc<Value>>,
    /// The pipeline's outputs.
    pub outputs: IndexMap<String, Template>,
    /// The places of the outputs' expressions, by their texts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<String, Position>,
    /// The value of `steps` for the pipeline's outputs.
    pub sees: BTreeMap<String, Seen>,
    /// The policies that cap it, by file; empty if the pipeline's grants are the only limit.
    pub policies: Vec<Foreign>,
    /// Warnings that do not prevent a run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Diagnostic>,
}

/// One step with one combination of its matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    /// The instance's id: `build`, or `build[arch=amd64]`.
    pub id: String,
    /// The step's id in the file.
    pub step: String,
    /// The reference of its plugin.
    pub uses: PluginRef,
    /// The plugin's own name.
    pub plugin: String,
    /// `sha256:` of the plugin's bytes.
    pub plugin_digest: String,
    /// Its combination of the matrix; empty without a matrix.
    pub matrix: Map<String, Value>,
    /// Its inputs. Values that wait for other steps are expressions.
    pub with: Template,
    /// The outputs that its plugin declares.
    pub outputs: Vec<String>,
    /// The instances that must end before it starts.
    pub needs: Vec<String>,
    /// The value of `steps` for this instance.
    pub sees: BTreeMap<String, Seen>,
    /// Its `if`, as CEL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Whether it belongs to `finally`.
    pub finally: bool,
    /// The retry policy for failed attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// The timeout of an attempt, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Whether its failure stops the other instances of its matrix.
    pub fail_fast: bool,
    /// The maximum number of instances of its step that run side by side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parallel: Option<u32>,
    /// The permissions of the instance.
    pub scopes: StepScopes,
    /// Requests that depend on outputs of other steps, by grant key; they are evaluated with the
    /// inputs.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub later_requests: IndexMap<String, String>,
    /// The places of the expressions that only the run evaluates, by their texts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<String, Position>,
    /// The secrets that it may use.
    pub secrets: Vec<String>,
}

/// The value of `steps.X` in an expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// One instance, as `{status, outputs}`.
    One(String),
    /// Several instances, as a list of `{matrix, status, outputs}`.
    All(Vec<String>),
}

/// The retry policy of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// The maximum number of attempts, including the first.
    pub attempts: u32,
    /// Failure classes, codes or prefixes of codes that are retried.
    pub on: Vec<String>,
    /// The back-off before the second attempt, in milliseconds; each further attempt doubles it.
    pub delay_ms: u64,
    /// The maximum back-off, in milliseconds.
    pub max_delay_ms: u64,
}

/// The source of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SecretSource {
    /// An environment variable of the runner.
    Env(String),
    /// A file, relative to the workspace.
    File(String),
    /// A version in Secret Manager, by its resource name.
    SecretManager(String),
}

impl Plan {
    /// Returns the `sha256:` digest of the plan, without the values that differ from run to run.
    /// Plans with equal digests run the same. The digest covers the policies, so
    /// [`judged`](Self::judged) changes it: a run is known by the digest in its journal's header.
    pub fn digest(&self) -> String {
        let mut bare = self.clone();
        bare.run = Value::Null;
        bare.warnings.clear();
        let mut json = serde_json::to_value(&bare).unwrap_or_default();
        sort(&mut json);
        format!("sha256:{}", hex::encode(Sha256::digest(json.to_string())))
    }

    /// Returns the JSON Schema of the instance's inputs, or null if the plan has none.
    pub fn input_schema(&self, instance: &Instance) -> &Value {
        self.input_schemas
            .get(&instance.plugin_digest)
            .map_or(&Value::Null, |schema| schema)
    }

    /// Returns the instance with that id.
    pub fn instance(&self, id: &str) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.id == id)
    }

    /// Checks that no two instances share a name: their own, that of a log file, or that of an
    /// external object.
    ///
    /// # Errors
    ///
    /// Returns a failure of the runner itself. Names are injective, so this never happens.
    pub fn check_names(&self) -> Result<(), Failure> {
        let mut names = HashMap::new();
        for instance in &self.instances {
            let id = instance.id.as_str();
            for (kind, name) in [
                ("id", id.to_owned()),
                ("log file", file_name(id)),
                ("object", object_name("", id, 1, "")),
            ] {
                if let Some(other) = names.insert((kind, name), id) {
                    return Err(Failure::bug(format!(
                        "two steps of the plan have the same {kind}: `{other}` and `{id}`"
                    )));
                }
            }
        }
        Ok(())
    }

    /// Returns the steps as events show them.
    pub fn planned(&self) -> Vec<PlannedStep> {
        self.instances.iter().map(Instance::planned).collect()
    }
}

impl Instance {
    /// Returns the inputs that are known before the run, with the schema's defaults. Inputs that
    /// wait for another step are absent. A map with free keys is either known as a whole or absent,
    /// so that an absent key always means that the key was not written.
    ///
    /// # Errors
    ///
    /// Returns the failure of a plugin whose defaults exceed a budget.
    pub fn known_inputs(&self, plan: &Plan, evaluator: &dyn Evaluator) -> Result<Value, Failure> {
        let schema = plan.input_schema(self);
        let mut inputs =
            without_unknown(&self.with, schema).unwrap_or_else(|| Value::Object(Map::new()));
        schema::fill_defaults(evaluator, schema, &mut inputs).map_err(|why| {
            why.about(format!("the inputs of {}", self.id))
                .failure(Code::schema(codes::input::WRONG), Owner::Plugin)
        })?;
        // A default replaces a value that was not written, not one that is not known yet.
        remove_unknown(&self.with, schema, &mut inputs);
        Ok(inputs)
    }

    /// Returns the step as events show it.
    pub fn planned(&self) -> PlannedStep {
        let mut grants: Vec<PlannedGrant> = self
            .scopes
            .grants()
            .filter(|grant| grant.capability != Capability::Secrets)
            .map(|grant| PlannedGrant {
                capability: grant.capability.as_str().into(),
                scopes: grant.explain().into_iter().map(Foreign::from).collect(),
                source: grant.source,
            })
            .collect();
        if !self.secrets.is_empty() {
            grants.push(PlannedGrant {
                capability: Capability::Secrets.as_str().into(),
                scopes: self
                    .secrets
                    .iter()
                    .map(|name| format!("use {name}").into())
                    .collect(),
                source: GrantSource::Pipeline,
            });
        }
        PlannedStep {
            id: self.step.as_str().into(),
            instance: self.id.as_str().into(),
            uses: self.uses.clone(),
            plugin_digest: self.plugin_digest.as_str().into(),
            needs: self.needs.iter().map(Foreign::from).collect(),
            grants,
        }
    }
}

/// Returns the known parts of a template. A list is either known as a whole or not, and so is a
/// map whose keys the schema does not name.
fn without_unknown(template: &Template, schema: &Value) -> Option<Value> {
    match template {
        Template::Literal(value) => Some(value.clone()),
        Template::Expression(_) | Template::Text(_) => None,
        Template::List(items) => items
            .iter()
            .map(|item| without_unknown(item, &schema["items"]))
            .collect(),
        Template::Map(entries) => {
            let entries = entries.iter().map(|(key, item)| {
                let known = without_unknown(item, &schema["properties"][key]);
                known.map(|known| (key.clone(), known))
            });
            let known: Option<Map<String, Value>> = if schema["additionalProperties"].is_object() {
                entries.collect()
            } else {
                Some(entries.flatten().collect())
            };
            known.map(Value::Object)
        }
    }
}

fn remove_unknown(template: &Template, schema: &Value, value: &mut Value) {
    let (Template::Map(entries), Value::Object(map)) = (template, value) else {
        return;
    };
    for (key, item) in entries {
        let schema = &schema["properties"][key];
        match map.get_mut(key) {
            Some(inner) if without_unknown(item, schema).is_some() => {
                remove_unknown(item, schema, inner);
            }
            _ => {
                map.remove(key);
            }
        }
    }
}

/// Sorts the keys of maps, so that equal plans have equal digests.
fn sort(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.sort_keys();
            map.values_mut().for_each(sort);
        }
        Value::Array(items) => items.iter_mut().for_each(sort),
        _ => {}
    }
}
