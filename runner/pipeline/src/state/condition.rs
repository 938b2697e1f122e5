//! Decides whether an instance runs.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sidestep_evaluator::Statuses;
use sidestep_events::{Failure, Owner, codes};

use super::RunState;
use crate::expression::{self, Code, Unanswered};
use crate::functions::STATUS_FUNCTIONS;
use crate::plan::Instance;

/// The decision whether a step runs, and its reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Whether it runs.
    pub run: bool,
    /// Whether it does not run because a dependency failed.
    pub because_of_failure: bool,
    /// The condition as it was evaluated.
    pub text: String,
    /// The value of each name in it.
    pub values: BTreeMap<String, Value>,
}

impl Instance {
    /// Evaluates whether the instance runs; all its needs must have ended.
    pub fn condition(&self, state: &RunState) -> Result<Condition, Failure> {
        let mut values = state.values(&self.sees, &self.matrix, &self.places);
        values.statuses = state.statuses(self);
        let default = if self.finally {
            "always()"
        } else {
            "success()"
        };
        let mut condition = Condition {
            run: false,
            because_of_failure: false,
            text: self.condition.clone().unwrap_or_else(|| default.to_owned()),
            values: BTreeMap::new(),
        };
        let fail = |why: Unanswered| {
            let place = values.places.get(&condition.text);
            let place = place.map(|place| format!(" at {place}"));
            let what = format!(
                "the condition of {}{} can't be evaluated",
                self.id,
                place.unwrap_or_default()
            );
            why.about(what)
                .failure(Code::expression(codes::expression::FAILED), Owner::Author)
                .with_help(format!("correct `if: {}`", condition.text))
        };
        let analysis = expression::analyse(&*values.evaluator, &condition.text).map_err(&fail)?;
        let asks = analysis.calls(STATUS_FUNCTIONS);
        let status = asks || self.finally || values.statuses.success;
        let own = if status {
            let value = expression::evaluate(&condition.text, &values).map_err(&fail)?;
            value
                .as_bool()
                .ok_or_else(|| fail(Unanswered::wrong("its result is neither true nor false")))?
        } else {
            false
        };
        for reference in &analysis.references {
            let mut value = values
                .roots
                .get(reference.root.as_str())
                .map(|root| &**root);
            for part in &reference.path {
                value = value.and_then(|value| value.get(part));
            }
            let value = value.cloned().unwrap_or(Value::Null);
            condition.values.insert(reference.text(), shorten(value));
        }
        for function in analysis
            .functions
            .iter()
            .filter(|f| STATUS_FUNCTIONS.contains(&f.as_str()))
        {
            let value = match function.as_str() {
                "success" => values.statuses.success,
                "failure" => values.statuses.failure,
                "cancelled" => values.statuses.cancelled,
                _ => true,
            };
            condition
                .values
                .insert(format!("{function}()"), value.into());
        }
        condition.run = own;
        condition.because_of_failure = !own && !self.finally && !values.statuses.success && {
            // With `success()` in it: would it have run without the failure?
            !asks || {
                let mut healthy = values.clone();
                healthy.statuses = Statuses::default();
                expression::evaluate(&condition.text, &healthy)
                    .is_ok_and(|v| v == Value::Bool(true))
                    && analysis.calls(&["success"])
            }
        };
        Ok(condition)
    }
}

/// Cuts a long value for display.
fn shorten(value: Value) -> Value {
    let text = value.to_string();
    if text.len() <= 200 {
        return value;
    }
    let cut: String = text.chars().take(197).collect();
    json!(format!("{cut}…"))
}
