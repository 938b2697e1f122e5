//! What is known only when an instance's turn comes, or at the run's end.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sidestep_events::{Class, Failure, Owner};
use sidestep_policy::StepScopes;

use super::RunState;
use crate::plan::{Instance, Plan};
use crate::request::evaluate_request;
use crate::schema;

impl Instance {
    /// The plugin's inputs, with its schema's defaults, checked against its schema.
    pub fn inputs(&self, state: &RunState) -> Result<Value, Failure> {
        let values = state.values(&self.sees, &self.matrix);
        let fail = |message: String| {
            Failure::new(
                Class::InvalidInput,
                "input.wrong",
                Owner::Author,
                format!("the inputs of {} are wrong: {message}", self.id),
            )
        };
        let mut inputs = self.with.evaluate(&values).map_err(fail)?;
        schema::fill_defaults(&self.input_schema, &mut inputs);
        if !self.with.is_known() {
            let problems = schema::validate(&self.input_schema, &inputs).map_err(fail)?;
            if let Some(problem) = problems.first() {
                return Err(fail(problem.to_string()));
            }
        }
        Ok(inputs)
    }

    /// What the instance may do, with the requests that only now are known. `inputs` are those of
    /// [`Instance::inputs`].
    pub fn scopes(&self, inputs: &Value) -> Result<StepScopes, Failure> {
        let mut later = BTreeMap::new();
        for (key, text) in &self.later_requests {
            let (capability, scopes) = evaluate_request(key, text, inputs, &self.input_schema)
                .map_err(|message| {
                    Failure::new(
                        Class::InvalidInput,
                        "plugin.request",
                        Owner::Plugin,
                        format!(
                            "what {} asks for under `{key}` can't be worked out: {message}",
                            self.plugin
                        ),
                    )
                })?;
            later.insert(capability, scopes);
        }
        self.scopes
            .fill(&later)
            .map_err(|refusals| match refusals.first() {
                Some(refusal) => refusal.failure(),
                None => Failure::bug("a refusal without a reason"),
            })
    }
}

impl Plan {
    /// The pipeline's outputs; for a run that succeeded.
    pub fn outputs(&self, state: &RunState) -> Result<Map<String, Value>, Failure> {
        let values = state.values(&self.sees, &Map::new());
        let mut outputs = Map::new();
        for (name, template) in &self.outputs {
            let value = template.evaluate(&values).map_err(|message| {
                Failure::new(
                    Class::InvalidInput,
                    "output.wrong",
                    Owner::Author,
                    format!("the pipeline's output `{name}` can't be evaluated: {message}"),
                )
            })?;
            outputs.insert(name.clone(), value);
        }
        Ok(outputs)
    }
}
