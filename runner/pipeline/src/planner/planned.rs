//! The instances that are planned so far, and what later steps see of them.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use crate::file::{Matrix, Pipeline, Step};
use crate::plan::{Instance, Seen};

/// The instances of the steps that are planned so far.
#[derive(Debug, Default)]
pub(super) struct Instances {
    pub(super) all: Vec<Instance>,
    /// The instances of each step, as indexes.
    by_step: BTreeMap<String, Vec<usize>>,
    /// The instance of each combination of a step's matrix.
    by_values: HashMap<String, HashMap<Vec<String>, usize>>,
}

impl Instances {
    /// Adds an instance of a step.
    pub(super) fn push(&mut self, step: &Step, instance: Instance) {
        let index = self.all.len();
        self.by_step.entry(step.id.clone()).or_default().push(index);
        if let Some(values) = step
            .matrix
            .as_ref()
            .and_then(|matrix| values(matrix, &instance.matrix))
        {
            let combinations = self.by_values.entry(step.id.clone()).or_default();
            combinations.entry(values).or_insert(index);
        }
        self.all.push(instance);
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
                    Some(pair) => Seen::One(pair.id.clone()),
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
        let indexes = self.by_step.get(step).into_iter().flatten();
        indexes.map(|index| self.all[*index].id.clone()).collect()
    }

    fn pair(&self, need: &str, matrix: &Matrix, own: &Map<String, Value>) -> Option<&Instance> {
        let index = self.by_values.get(need)?.get(&values(matrix, own)?)?;
        self.all.get(*index)
    }
}

/// Returns a combination's values of a matrix's keys, in the order of the keys; `None` if it lacks
/// one.
fn values(matrix: &Matrix, combination: &Map<String, Value>) -> Option<Vec<String>> {
    let keys = matrix.keys.iter();
    keys.map(|key| combination.get(key).map(Value::to_string))
        .collect()
}
