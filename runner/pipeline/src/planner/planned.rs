//! The instances that are planned so far, and what later steps see of them.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use crate::file::{Matrix, Pipeline, Step};
use crate::plan::{Instance, Seen};

/// The instances of the steps that are planned so far.
#[derive(Debug, Default)]
pub(super) struct Instances {
    pub(super) all: Vec<Instance>,
    /// The ids of the instances of each step, also of those that could not be planned.
    by_step: BTreeMap<String, Vec<String>>,
    /// The id of the instance of each combination of a step's matrix.
    by_values: HashMap<String, HashMap<Vec<String>, String>>,
}

impl Instances {
    /// Records that a step has an instance of this id, so that other steps can read it.
    pub(super) fn declare(&mut self, step: &Step, id: &str, combination: &Map<String, Value>) {
        let ids = self.by_step.entry(step.id.clone()).or_default();
        ids.push(id.to_owned());
        if let Some(values) = step
            .matrix
            .as_ref()
            .and_then(|matrix| values(matrix, combination))
        {
            let combinations = self.by_values.entry(step.id.clone()).or_default();
            combinations.entry(values).or_insert_with(|| id.to_owned());
        }
    }

    /// Returns the value of `steps` for a step with this combination of its matrix: of a need with
    /// a matrix, the instance of the same values, or else all of its instances.
    pub(super) fn seen_by(
        &self,
        pipeline: &Pipeline,
        step: &Step,
        combination: &Map<String, Value>,
    ) -> BTreeMap<String, Seen> {
        let seen = |need: &String| {
            let matrix = pipeline
                .steps
                .get(need)
                .and_then(|step| step.matrix.as_ref());
            let seen = match matrix {
                None => Seen::One(need.clone()),
                Some(matrix) => match self.pair(need, matrix, combination) {
                    Some(pair) => Seen::One(pair.to_owned()),
                    None => Seen::All(self.ids(need)),
                },
            };
            (need.clone(), seen)
        };
        step.needs.iter().map(seen).collect()
    }

    /// Returns the value of `steps` for the pipeline's outputs.
    pub(super) fn seen_at_the_end(&self, pipeline: &Pipeline) -> BTreeMap<String, Seen> {
        let seen = |step: &Step| {
            let seen = match &step.matrix {
                Some(_) => Seen::All(self.ids(&step.id)),
                None => Seen::One(step.id.clone()),
            };
            (step.id.clone(), seen)
        };
        pipeline.steps.iter().map(seen).collect()
    }

    fn ids(&self, step: &str) -> Vec<String> {
        self.by_step.get(step).cloned().unwrap_or_default()
    }

    fn pair(&self, need: &str, matrix: &Matrix, own: &Map<String, Value>) -> Option<&str> {
        let id = self.by_values.get(need)?.get(&values(matrix, own)?)?;
        Some(id)
    }
}

/// Returns a combination's values of a matrix's keys, in the order of the keys; `None` if it lacks
/// one.
fn values(matrix: &Matrix, combination: &Map<String, Value>) -> Option<Vec<String>> {
    let keys = matrix.keys.iter();
    keys.map(|key| combination.get(key).map(Value::to_string))
        .collect()
}
