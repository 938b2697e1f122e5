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

/// What will be run: a pipeline with its inputs, its plugins and what each step may do. `plan`
/// shows this very value, and `run` executes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The plan's own format; 1.
    pub version: u32,
    /// The pipeline's name.
    pub name: Foreign,
    /// The file that it comes from.
    pub file: Foreign,
    /// The pipeline's inputs, defaults filled in.
    pub inputs: Map<String, Value>,
    /// What `git` is in expressions.
    pub git: Value,
    /// What `run` is in expressions. It differs from run to run and is no part of the digest.
    pub run: Value,
    /// What `env` is in expressions: only what the file lists.
    pub env: Map<String, Value>,
    /// Where each secret of the pipeline comes from.
    pub secrets: IndexMap<String, SecretSource>,
    /// How many instances run side by side at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parallel: Option<u32>,
    /// How long the whole run may take, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Every step instance, those of `finally` last; needs come before what needs them.
    pub instances: Vec<Instance>,
    /// The JSON Schema of each plugin's inputs, by the plugin's digest: defaults are filled in, and
    /// what only the run brings is checked against it. Once a plugin, not once an instance: both
    /// are a stranger's to multiply.
    pub input_schemas: BTreeMap<String, Arc<Value>>,
    /// The pipeline's outputs.
    pub outputs: IndexMap<String, Template>,
    /// Where the expressions of the outputs stand, by their texts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<String, Position>,
    /// What `steps` is for the pipeline's outputs.
    pub sees: BTreeMap<String, Seen>,
    /// The policies that cap it, by file; empty when pipelines' grants are the only ceiling.
    pub policies: Vec<Foreign>,
    /// What is worth knowing and stops nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Diagnostic>,
}

/// One step with one combination of its matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    /// Its id: `build`, or `build[arch=amd64]`.
    pub id: String,
    /// The step's id in the file.
    pub step: String,
    /// The plugin.
    pub uses: PluginRef,
    /// The plugin's own name.
    pub plugin: String,
    /// `sha256:` of the plugin's bytes.
    pub plugin_digest: String,
    /// Its combination of the matrix; empty without one.
    pub matrix: Map<String, Value>,
    /// Its inputs. What waits for other steps is an expression.
    pub with: Template,
    /// The outputs that its plugin declares.
    pub outputs: Vec<String>,
    /// The instances that end before it begins.
    pub needs: Vec<String>,
    /// What `steps` is for it.
    pub sees: BTreeMap<String, Seen>,
    /// Its `if`, as CEL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Whether it belongs to `finally`.
    pub finally: bool,
    /// When a failed attempt is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// How long an attempt may take, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Whether its siblings of the matrix are stopped when it fails.
    pub fail_fast: bool,
    /// How many instances of its step run side by side at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parallel: Option<u32>,
    /// What it may do.
    pub scopes: StepScopes,
    /// Requests that depend on what other steps bring, by grant key: evaluated with the inputs.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub later_requests: IndexMap<String, String>,
    /// Where the expressions stand that only the run evaluates, by their texts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<String, Position>,
    /// The secrets that it may use.
    pub secrets: Vec<String>,
}

/// What an expression's `steps.X` is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// This instance, as `{status, outputs}`.
    One(String),
    /// These instances, as a list of `{matrix, status, outputs}`.
    All(Vec<String>),
}

/// When a failed attempt is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// How many attempts there are at most, the first one counted.
    pub attempts: u32,
    /// Failure classes, codes or prefixes of codes that are tried again.
    pub on: Vec<String>,
    /// The pause before the second attempt, in milliseconds; doubled for each one after.
    pub delay_ms: u64,
    /// The longest pause, in milliseconds.
    pub max_delay_ms: u64,
}

/// Where a secret comes from.
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
    /// `sha256:` of the plan, without what differs from run to run. Equal plans run the same.
    pub fn digest(&self) -> String {
        let mut bare = self.clone();
        bare.run = Value::Null;
        bare.warnings.clear();
        let mut json = serde_json::to_value(&bare).unwrap_or_default();
        sort(&mut json);
        let digest = Sha256::digest(json.to_string().as_bytes());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{hex}")
    }

    /// The JSON Schema of the instance's inputs; null, which is none, where the plan has none.
    pub fn input_schema(&self, instance: &Instance) -> &Value {
        self.input_schemas
            .get(&instance.plugin_digest)
            .map_or(&Value::Null, |schema| schema)
    }

    /// The instance of that id.
    pub fn instance(&self, id: &str) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.id == id)
    }

    /// Checks that no two instances share a name: their own, that of a log file, or that of an
    /// object outside.
    ///
    /// # Errors
    ///
    /// A failure of the runner itself: names are injective, so this never happens.
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

    /// The steps as events show them.
    pub fn planned(&self) -> Vec<PlannedStep> {
        self.instances.iter().map(Instance::planned).collect()
    }
}

impl Instance {
    /// The inputs that are known before the run, with the schema's defaults; what waits for
    /// another step is absent. A map whose keys the writer chooses is known as a whole or not, so
    /// that a key which is absent is one that was not written.
    ///
    /// # Errors
    ///
    /// The failure of a plugin whose defaults use up a budget.
    pub fn known_inputs(&self, plan: &Plan, evaluator: &dyn Evaluator) -> Result<Value, Failure> {
        let schema = plan.input_schema(self);
        let mut inputs =
            without_unknown(&self.with, schema).unwrap_or_else(|| Value::Object(Map::new()));
        schema::fill_defaults(evaluator, schema, &mut inputs).map_err(|why| {
            why.about(format!("the inputs of {}", self.id))
                .failure(Code::schema(codes::input::WRONG), Owner::Plugin)
        })?;
        // A default stands for what nobody wrote, not for what is written and not known yet.
        remove_unknown(&self.with, schema, &mut inputs);
        Ok(inputs)
    }

    /// The step as events show it.
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

/// The known parts of a template; a list is known as a whole or not, and so is a map whose keys the
/// schema does not name.
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

/// Brings maps into one order, so that equal plans have equal digests.
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
