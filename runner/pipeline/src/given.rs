//! What a plan needs besides the file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};
use sidestep_evaluator::Evaluator;
use sidestep_events::PluginRef;
use sidestep_policy::{Origin, PluginFacts, Policy, Signer};

use crate::manifest::Manifest;

/// A plugin that a pipeline uses.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginInfo {
    /// What it says about itself.
    pub manifest: Manifest,
    /// `sha256:` of its bytes.
    pub digest: String,
    /// Who signed it, where a signature was verified.
    pub signer: Option<Signer>,
}

impl PluginInfo {
    /// Returns what policies judge it by; `plugin` is what names it.
    pub fn facts<'a>(&'a self, plugin: &'a PluginRef) -> PluginFacts<'a> {
        PluginFacts {
            plugin,
            digest: &self.digest,
            signer: self.signer.as_ref(),
        }
    }
}

/// What a plan needs besides the file.
#[derive(Debug, Clone)]
pub struct PlanInputs<'a> {
    /// The pipeline's inputs as they were given. A text counts as a number, a boolean, a list or
    /// a map where the file wants one.
    pub inputs: Map<String, Value>,
    /// The plugins that the file's `uses` name.
    pub plugins: &'a BTreeMap<PluginRef, PluginInfo>,
    /// What `git` is in expressions: `commit`, `branch`, ….
    pub git: Value,
    /// What `run` is in expressions: `id`, ….
    pub run: Value,
    /// The environment; expressions see only what the file lists of it.
    pub env: Value,
    /// Every policy that was found.
    pub policies: &'a [Policy],
    /// Where the run's code comes from, for policies.
    pub origin: Origin,
    /// Plugins of `uses` that could not be had, which is reported by whoever looked for them.
    pub unavailable: BTreeSet<PluginRef>,
    /// Evaluates expressions, schemas and patterns within the budgets of a run.
    pub evaluator: Arc<dyn Evaluator>,
    /// Plans as if each step were granted exactly what its plugin requests, and no policy capped
    /// it: to see what there is to grant. Such a plan is not to be run.
    pub as_requested: bool,
}

impl<'a> PlanInputs<'a> {
    /// Plugins alone: no inputs, no facts, no policy.
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
            evaluator: Arc::clone(evaluator),
            as_requested: false,
        }
    }
}
