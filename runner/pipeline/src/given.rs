//! What a plan needs besides the file.

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

/// Follows the links of the workspace.
pub trait Links: fmt::Debug + Send + Sync {
    /// Returns where a path of the workspace leads. No link may lead out of `within`, a folder of
    /// the workspace, or the workspace itself if that is empty.
    fn follow(&self, path: &str, within: &str) -> Led;
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Led {
    /// There is no link on it, or nothing at its end.
    Itself,
    /// To this path of the workspace.
    To(String),
    /// Out of the folder that it must stay in.
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
    /// Follows the links that plugins ask to read.
    pub links: &'a dyn Links,
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
            links: &NoLinks,
            evaluator: Arc::clone(evaluator),
            as_requested: false,
        }
    }
}
