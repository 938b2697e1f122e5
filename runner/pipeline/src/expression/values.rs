//! The values that an expression can read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use sidestep_evaluator::{Analysis, Evaluator, Statuses};

/// The values that an expression can read, and the evaluator.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    /// The evaluator of the expressions.
    pub(crate) evaluator: Arc<dyn Evaluator>,
    /// The variables.
    pub(crate) roots: BTreeMap<&'static str, Arc<Value>>,
    /// The results of `success()` and the other status functions.
    pub(crate) statuses: Statuses,
    /// Inputs without a value because they are wrong.
    pub(crate) missing: BTreeSet<String>,
    /// The places of expressions as FILE:LINE:COLUMN, for messages without another place.
    pub(crate) places: BTreeMap<String, String>,
}

impl Values {
    /// Creates values without any variable.
    pub(crate) fn new(evaluator: &Arc<dyn Evaluator>) -> Self {
        Self {
            evaluator: Arc::clone(evaluator),
            roots: BTreeMap::new(),
            statuses: Statuses::default(),
            missing: BTreeSet::new(),
            places: BTreeMap::new(),
        }
    }

    /// Returns an expression as messages show it: its text, and its place if known.
    pub(crate) fn name(&self, text: &str) -> String {
        match self.places.get(text) {
            Some(place) => format!("${{{{ {text} }}}} at {place}"),
            None => format!("${{{{ {text} }}}}"),
        }
    }

    /// Returns whether the expression reads something that has no value because it is wrong. That
    /// error is reported elsewhere.
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
