use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};
use sidestep_evaluator::Analysis;
use sidestep_evaluator::types::Type;
use sidestep_events::{Place, PluginRef};
use sidestep_policy::tree::Node;

use crate::plan::{Retry, SecretSource};
use crate::steps::Steps;
use crate::template::Piece;

/// A file's name, relative to the workspace, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name as diagnostics show it.
    pub name: String,
    /// The file's text.
    pub text: String,
}

/// A pipeline file without errors, as far as they can be found without its plugins.
#[derive(Debug, Clone)]
pub struct Pipeline {
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) inputs: IndexMap<String, Input>,
    pub(crate) secrets: IndexMap<String, SecretSource>,
    pub(crate) env: Vec<(String, Place)>,
    pub(crate) defaults: Defaults,
    pub(crate) max_parallel: Option<u32>,
    pub(crate) timeout_ms: Option<u64>,
    /// The steps of `steps`, then those of `finally`; each step comes after the steps it needs.
    pub(crate) steps: Steps,
    pub(crate) outputs: IndexMap<String, (Place, Written)>,
    pub(crate) declared: Declared,
}

/// Every name that the file declares, even if its value could not be read. It prevents follow-up
/// errors about unknown names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Declared {
    pub(crate) steps: HashSet<String>,
    pub(crate) inputs: Vec<String>,
    pub(crate) secrets: Vec<String>,
}

impl Pipeline {
    /// Returns the pipeline's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the file that it was read from.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns the plugins that it uses, each once, with the first place of each.
    pub fn uses(&self) -> impl Iterator<Item = (&PluginRef, Place)> {
        let mut seen = HashSet::new();
        self.steps
            .iter()
            .filter_map(|step| Some((step.uses.as_ref()?, step.uses_at)))
            .filter(move |(uses, _)| seen.insert(*uses))
    }

    /// Returns the place of an input in a step's `with`, or `None` if the step does not set it.
    pub fn input_place(&self, step: &str, input: &str) -> Option<Place> {
        let with = self.steps.get(step)?.with.as_ref()?;
        let mut entries = with.entries().iter();
        entries
            .find(|(key, _)| key.text == input)
            .map(|(key, _)| key.at)
    }

    /// Returns the place where a step names its plugin.
    pub fn step_place(&self, step: &str) -> Option<Place> {
        Some(self.steps.get(step)?.uses_at)
    }

    /// Returns the environment variables that its expressions may read.
    pub fn env(&self) -> impl Iterator<Item = &str> {
        self.env.iter().map(|(name, _)| name.as_str())
    }

    /// Returns whether an expression reads this key of a variable, or may read it.
    pub fn reads(&self, variable: &str, key: &str) -> bool {
        let steps = self.steps.iter().flat_map(|step| {
            let conditions = step.condition.iter();
            conditions.chain(&step.reads).chain(&step.granted)
        });
        let defaults = self
            .inputs
            .values()
            .filter_map(|input| input.default.as_ref());
        let outputs = self.outputs.values().map(|(_, output)| output);
        let others = defaults.chain(outputs).chain(&self.defaults.cluster);
        let mut expressions = steps.chain(others.flat_map(|one| &one.expressions));
        expressions.any(|expression| {
            expression.analysis.references.iter().any(|reference| {
                let first = reference.path.first();
                reference.root == variable && first.is_none_or(|first| first == key)
            })
        })
    }

    /// Returns its secrets and the source of each.
    pub fn secrets(&self) -> impl Iterator<Item = (&str, &SecretSource)> {
        self.secrets
            .iter()
            .map(|(name, source)| (name.as_str(), source))
    }
}

/// An input of the pipeline.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    pub(crate) at: Place,
    pub(crate) kind: InputKind,
    pub(crate) default: Option<Written>,
    pub(crate) pattern: Option<String>,
    pub(crate) choices: Option<Vec<Value>>,
}

/// The type of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InputKind {
    String,
    Integer,
    Number,
    Boolean,
    List,
    Map,
}

impl InputKind {
    pub(crate) const NAMES: &'static [&'static str] =
        &["string", "integer", "number", "boolean", "list", "map"];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::String,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            "list" => Self::List,
            "map" => Self::Map,
            _ => return None,
        })
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::List => "list",
            Self::Map => "map",
        }
    }

    /// Returns the value as this type. A text from a command line is converted if it has only one
    /// meaning.
    pub(crate) fn accept(self, value: &Value) -> Option<Value> {
        let same = match self {
            Self::String => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::List => value.is_array(),
            Self::Map => value.is_object(),
        };
        if same {
            return Some(value.clone());
        }
        let parsed = serde_json::from_str::<Value>(value.as_str()?).ok()?;
        match self {
            Self::String => None,
            _ if parsed.is_string() => None,
            _ => self.accept(&parsed),
        }
    }
}

/// The default settings of steps.
#[derive(Debug, Clone, Default)]
pub(crate) struct Defaults {
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) retry: Option<Retry>,
    pub(crate) cluster: Option<Written>,
}

/// A step of the file.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) id: String,
    pub(crate) at: Place,
    pub(crate) finally: bool,
    /// `None` if `uses` does not name a valid plugin; the error is already reported.
    pub(crate) uses: Option<PluginRef>,
    pub(crate) uses_at: Place,
    pub(crate) with: Option<Node>,
    pub(crate) with_at: Place,
    pub(crate) condition: Option<Expression>,
    /// The steps that it waits for: those in its `needs` and those that its expressions read.
    pub(crate) needs: Vec<String>,
    /// The steps in its `needs`, each with its place.
    pub(crate) needs_at: Vec<(String, Place)>,
    /// All expressions of `with` and `if`.
    pub(crate) reads: Vec<Expression>,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) retry: Option<Retry>,
    pub(crate) matrix: Option<Matrix>,
    /// Whether its matrix could not be read.
    pub(crate) broken_matrix: bool,
    pub(crate) fail_fast: bool,
    pub(crate) max_parallel: Option<u32>,
    pub(crate) grants: Option<(Place, Node)>,
    /// All expressions of `grants`.
    pub(crate) granted: Vec<Expression>,
    pub(crate) secrets: Vec<(String, Place)>,
}

impl Step {
    /// Returns the plugin's name for messages.
    pub(crate) fn plugin(&self) -> &str {
        self.uses.as_ref().map_or("the plugin", PluginRef::as_str)
    }
}

/// An expression of the file.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    pub(crate) text: String,
    pub(crate) at: Place,
    pub(crate) analysis: Arc<Analysis>,
}

/// A scalar, with or without expressions.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) node: Node,
    pub(crate) expressions: Vec<Expression>,
}

/// A scalar split into its texts and expressions.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) pieces: Vec<Piece>,
    /// The expressions that can be parsed.
    pub(crate) expressions: Vec<Expression>,
    /// Whether every expression can be parsed.
    pub(crate) whole: bool,
}

/// A matrix: the combinations to run, in order.
#[derive(Debug, Clone)]
pub(crate) struct Matrix {
    pub(crate) keys: Vec<String>,
    pub(crate) combinations: Vec<Map<String, Value>>,
    /// The types of the values of each key.
    pub(crate) types: BTreeMap<String, Type>,
}
