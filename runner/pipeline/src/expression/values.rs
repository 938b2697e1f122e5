//! What an expression can see.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Analysis;
use crate::functions::Statuses;

/// What an expression can see.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    /// The variables.
    pub(crate) roots: BTreeMap<&'static str, Value>,
    /// What `success()` and its like answer.
    pub(crate) statuses: Statuses,
    /// Inputs that have no value since something is wrong with them.
    pub(crate) missing: BTreeSet<String>,
}

impl Values {
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
