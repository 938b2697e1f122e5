//! The facts that a plan needs besides the file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use sidestep_evaluator::Evaluator;
use sidestep_events::PluginRef;
use sidestep_policy::{Origin, PluginFacts, Policy, Signer};

use crate::manifest::Manifest;

/// A plugin that a pipeline uses.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginInfo {
    /// The plugin's manifest.
    pub manifest: Arc<Manifest>,
    /// `sha256:` of its bytes.
    pub digest: String,
    /// The signer, if a signature was verified.
    pub signer: Option<Signer>,
}

impl PluginInfo {
    /// Returns the facts that policies use to judge the plugin; `plugin` is its reference.
    pub fn facts<'a>(&'a self, plugin: &'a PluginRef) -> PluginFacts<'a> {
        PluginFacts {
            plugin,
            digest: &self.digest,
            signer: self.signer.as_ref(),
        }
    }
}

/// Follows the links of the workspace.
pub trait Links: fmt::Debug + Send + Sync {
    /// Returns the target of a path of the workspace. Links must stay within `within`, a folder of
    /// the workspace; an empty `within` is the workspace itself.
    fn follow(&self, path: &str, within: &str) -> Led;
}

/// The target of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Led {
    /// The path has no link, or nothing exists at its end.
    Itself,
    /// The path leads to this path of the workspace.
    To(String),
    /// The path leaves the folder that it must stay in.
    Outside,
}

/// A workspace without links.
#[derive(Debug)]
struct NoLinks;

impl Links for NoLinks {
    fn follow(&self, _: &str, _: &str) -> Led {
        Led::Itself
    }
}

/// The facts that a plan needs besides the file.
#[derive(Debug, Clone)]
pub struct PlanInputs<'a> {
    /// The pipeline's inputs as the user passed them. A text is converted if the file expects a
    /// number, a boolean, a list or a map.
    pub inputs: Map<String, Value>,
    /// The plugins that the file's `uses` name.
    pub plugins: &'a BTreeMap<PluginRef, PluginInfo>,
    /// The value of `git` in expressions: `commit`, `branch`, ….
    pub git: Value,
    /// The value of `run` in expressions: `id`, ….
    pub run: Value,
    /// The environment; expressions see only the variables that the file lists.
    pub env: Value,
    /// Every policy that was found.
    pub policies: &'a [Policy],
    /// The origin of the run's code, for policies.
    pub origin: Origin,
    /// Plugins of `uses` that are not available. The caller reports the reason.
    pub unavailable: BTreeSet<PluginRef>,
    /// Follows the links that plugins request to read.
    pub links: &'a dyn Links,
    /// Evaluates expressions, schemas and patterns within the budgets of a run.
    pub evaluator: Arc<dyn Evaluator>,
    /// The operator's helper image, for inputs of this type that a step leaves out.
    pub helper_image: Option<String>,
    /// Whether to plan as if each step were granted exactly what its plugin requests, without any
    /// policy. It shows which grants are needed; such a plan must not be run.
    pub as_requested: bool,
}

impl<'a> PlanInputs<'a> {
    /// Creates the facts from plugins alone: no inputs, no origin, no policy.
    pub fn new(
        plugins: &'a BTreeMap<PluginRef, PluginInfo>,
        evaluator: &Arc<dyn Evaluator>,
    ) -> Self {
        let empty = || Value::Object(Map::new());
        Self {
            inputs: Map::new(),
            plugins,
            git: empty(),
            run: empty(),
            env: empty(),
            policies: &[],
            origin: Origin::default(),
            unavailable: BTreeSet::new(),
            links: &NoLinks,
            evaluator: Arc::clone(evaluator),
            helper_image: None,
            as_requested: false,
        }
    }
}
