//! Values that are known only when an instance starts, or at the end of the run.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use sidestep_evaluator::Evaluator;
use sidestep_events::{Failure, Owner, codes};
use sidestep_policy::StepScopes;

use super::RunState;
use crate::expression::{Code, Unanswered};
use crate::plan::{Instance, Plan};
use crate::request::evaluate_request;
use crate::schema;

impl Instance {
    /// Returns the plugin's inputs with its schema's defaults, checked against its schema.
    pub fn inputs(&self, state: &RunState) -> Result<Value, Failure> {
        let values = state.values(&self.sees, &self.matrix, &self.places);
        let about = |why: Unanswered| why.about(format!("the inputs of {} are wrong", self.id));
        let wrong = |why| about(why).failure(Code::expression(codes::input::WRONG), Owner::Author);
        let unfit = |why| about(why).failure(Code::schema(codes::input::WRONG), Owner::Plugin);
        let unknown = Arc::default();
        let schema = state.input_schemas.get(&self.plugin_digest);
        let schema: &Value = schema.unwrap_or(&unknown);
        let mut inputs = self.with.evaluate(&values).map_err(wrong)?;
        schema::fill_defaults(&*values.evaluator, schema, &mut inputs).map_err(unfit)?;
        if !self.with.is_known() {
            let problems = schema::validate(&*values.evaluator, schema, &inputs).map_err(unfit)?;
            if let Some(problem) = problems.first() {
                return Err(wrong(Unanswered::wrong(problem.to_string())));
            }
        }
        Ok(inputs)
    }

    /// Returns the instance's scopes, with the requests that are only known now. `inputs` are the
    /// result of [`Instance::inputs`].
    pub fn scopes(
        &self,
        plan: &Plan,
        evaluator: &Arc<dyn Evaluator>,
        inputs: &Value,
    ) -> Result<StepScopes, Failure> {
        let mut later = BTreeMap::new();
        for (key, text) in &self.later_requests {
            // Links are not followed at this point: their targets were not in the plan.
            let found = evaluate_request(evaluator, key, text, inputs, plan.input_schema(self))
                .map_err(|why| {
                    why.about(format!(
                        "the request of {} under `{key}` can't be evaluated",
                        self.plugin
                    ))
                    .failure(Code::expression(codes::plugin::REQUEST), Owner::Plugin)
                })?;
            later.insert(found.capability, found.scopes);
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
    /// Returns the pipeline's outputs after a successful run.
    pub fn outputs(&self, state: &RunState) -> Result<Map<String, Value>, Failure> {
        let values = state.values(&self.sees, &Map::new(), &self.places);
        let mut outputs = Map::new();
        for (name, template) in &self.outputs {
            let value = template.evaluate(&values).map_err(|why| {
                why.about(format!("the pipeline's output `{name}` can't be evaluated"))
                    .failure(Code::expression(codes::output::WRONG), Owner::Author)
            })?;
            outputs.insert(name.clone(), value);
        }
        Ok(outputs)
    }
}
