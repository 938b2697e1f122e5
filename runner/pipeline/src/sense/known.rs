//! The facts about names in expressions that are known before the run.

use serde_json::Value;
use sidestep_evaluator::{Kind, Reference};

use crate::file::{InputKind, Pipeline, Step};
use crate::given::PlanInputs;
use crate::{outputs, schema};

/// The meaning of the names at one place of the file.
pub(super) struct Known<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) given: &'a PlanInputs<'a>,
    /// The step that `matrix` belongs to.
    pub(super) step: Option<&'a Step>,
}

/// Returns whether a name is a step's status.
pub(super) fn is_status(reference: &Reference) -> bool {
    reference.root == "steps"
        && matches!(reference.path.as_slice(), [_, field] if field == "status")
}

impl Known<'_> {
    /// Returns the kinds of value that a name can have; empty if nothing is known about it.
    pub(super) fn kinds(&self, reference: &Reference) -> Vec<Kind> {
        let path: Vec<&str> = reference.path.iter().map(String::as_str).collect();
        match (reference.root.as_str(), path.as_slice()) {
            ("inputs", [name]) => {
                let input = self.pipeline.inputs.get(*name);
                input
                    .map(|input| of_input(input.kind))
                    .into_iter()
                    .collect()
            }
            // An unset variable is null.
            ("env", [_]) => vec![Kind::Text, Kind::Null],
            ("run", ["id"]) => vec![Kind::Text],
            ("matrix", [key]) => {
                let matrix = self.step.and_then(|step| step.matrix.as_ref());
                let combinations = matrix.iter().flat_map(|matrix| &matrix.combinations);
                let values = combinations.filter_map(|combination| combination.get(*key));
                values.map(Kind::of).collect()
            }
            ("steps", _) if self.is_list(reference) => Vec::new(),
            ("steps", [_, "status"]) => vec![Kind::Text],
            ("steps", [step, "outputs", name]) => {
                let found = outputs::output_schema(self.pipeline, self.given, step);
                let Some((root, _)) = found else {
                    return Vec::new();
                };
                let top = schema::candidates(root, root);
                let types = schema::types(&schema::property(root, &top, name));
                types.into_iter().filter_map(Kind::of_schema).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns whether a name may belong to a list: that of a step with a matrix.
    pub(super) fn is_list(&self, reference: &Reference) -> bool {
        let step = reference.path.first();
        step.is_some_and(|step| self.pipeline.steps.have_matrix(step))
    }

    /// Returns the values that the file allows for a name, or `None` if it allows any.
    pub(super) fn choices(&self, reference: &Reference) -> Option<&[Value]> {
        match reference.path.as_slice() {
            [name] if reference.root == "inputs" => {
                self.pipeline.inputs.get(name)?.choices.as_deref()
            }
            _ => None,
        }
    }
}

fn of_input(kind: InputKind) -> Kind {
    match kind {
        InputKind::String => Kind::Text,
        InputKind::Integer | InputKind::Number => Kind::Number,
        InputKind::Boolean => Kind::Boolean,
        InputKind::List => Kind::List,
        InputKind::Map => Kind::Map,
    }
}
