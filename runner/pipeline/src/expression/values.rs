//! What an expression can see.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use sidestep_evaluator::{Analysis, Evaluator, Statuses};

/// What an expression can see, and what evaluates it.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    /// Evaluates it.
    pub(crate) evaluator: Arc<dyn Evaluator>,
    /// The variables.
    pub(crate) roots: BTreeMap<&'static str, Value>,
    /// What `success()` and its like answer.
    pub(crate) statuses: Statuses,
    /// Inputs that have no value since something is wrong with them.
    pub(crate) missing: BTreeSet<String>,
    /// Where expressions stand, as FILE:LINE:COLUMN, for messages that have no other place.
    pub(crate) places: BTreeMap<String, String>,
}

impl Values {
    /// Nothing to see.
    pub(crate) fn new(evaluator: &Arc<dyn Evaluator>) -> Self {
        Self {
            evaluator: Arc::clone(evaluator),
            roots: BTreeMap::new(),
            statuses: Statuses::default(),
            missing: BTreeSet::new(),
            places: BTreeMap::new(),
        }
    }

    /// An expression as messages name it: its text, and its place where that is known.
    pub(crate) fn name(&self, text: &str) -> String {
        match self.places.get(text) {
            Some(place) => format!("${{{{ {text} }}}} at {place}"),
            None => format!("${{{{ {text} }}}}"),
        }
    }

    /// Whether the expression reads something that has no value since something is wrong with it,
    /// which is said elsewhere.
    pub(crate) fn lacks(&self, analysis: &Analysis) -> bool {
        analysis.references.iter().any(|reference| {
            match (reference.root.as_str(), reference.path.first()) {
                ("inputs", Some(name)) => self.missing.contains(name),
                ("inputs", None) => !self.missing.is_empty(),
                ("matrix", _) => !self.roots.contains_key("matrix"),
                _ => false,
            }
        })
    }
}
