use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sidestep_events::{Class, Failure, Owner, Status};
use sidestep_policy::{Capability, Reading, Scope, StepScopes, scopes};

use crate::expression::{self, Values};
use crate::functions::{STATUS_FUNCTIONS, Statuses};
use crate::plan::{Instance, Plan, Seen};
use crate::schema;

/// What expressions can see while a run goes on: the plan's facts, and what became of each
/// instance.
#[derive(Debug, Clone, Default)]
pub struct RunState {
    inputs: Value,
    git: Value,
    run: Value,
    env: Value,
    instances: BTreeMap<String, InstanceState>,
    cancelled: bool,
}

/// What became of an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceState {
    /// Its status.
    pub status: Status,
    /// Its outputs, where it has any.
    pub outputs: Option<Map<String, Value>>,
    /// Whether it was skipped since something that it needs failed, and not by its own `if`.
    pub because_of_failure: bool,
    /// Its combination of the matrix.
    pub matrix: Map<String, Value>,
    /// The outputs that its plugin declares.
    pub declared: Vec<String>,
}

/// Whether a step runs, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Whether it runs.
    pub run: bool,
    /// Whether it does not run because something that it needs failed.
    pub because_of_failure: bool,
    /// The condition as it was evaluated.
    pub text: String,
    /// The value of each name in it.
    pub values: BTreeMap<String, Value>,
}

impl InstanceState {
    /// Whether a step that needs this one counts it as done: it succeeded, or did not have to run.
    pub fn satisfies(&self) -> bool {
        self.status.has_outputs() || (self.status == Status::Skipped && !self.because_of_failure)
    }

    /// `{status, outputs}`: every output that is declared, null where there is none.
    fn view(&self) -> Map<String, Value> {
        let mut outputs = Map::new();
        for name in &self.declared {
            let value = self.outputs.as_ref().and_then(|all| all.get(name));
            outputs.insert(name.clone(), value.cloned().unwrap_or(Value::Null));
        }
        let mut view = Map::new();
        view.insert("status".to_owned(), self.status.as_str().into());
        view.insert("outputs".to_owned(), Value::Object(outputs));
        view
    }
}

impl RunState {
    /// The state in which nothing has run yet.
    pub fn new(plan: &Plan) -> Self {
        let pending = |instance: &Instance| InstanceState {
            status: Status::Pending,
            outputs: None,
            because_of_failure: false,
            matrix: instance.matrix.clone(),
            declared: instance.outputs.clone(),
        };
        Self {
            inputs: Value::Object(plan.inputs.clone()),
            git: plan.git.clone(),
            run: plan.run.clone(),
            env: Value::Object(plan.env.clone()),
            instances: plan
                .instances
                .iter()
                .map(|instance| (instance.id.clone(), pending(instance)))
                .collect(),
            cancelled: false,
        }
    }

    /// Sets an instance's status.
    pub fn set(&mut self, instance: &str, status: Status) {
        if let Some(state) = self.instances.get_mut(instance) {
            state.status = status;
        }
    }

    /// An instance ended with outputs: `succeeded`, or `cached`.
    pub fn set_outputs(&mut self, instance: &str, status: Status, outputs: Map<String, Value>) {
        if let Some(state) = self.instances.get_mut(instance) {
            state.status = status;
            state.outputs = Some(outputs);
        }
    }

    /// An instance was skipped; by its own condition, or because of a failure before it.
    pub fn set_skipped(&mut self, instance: &str, because_of_failure: bool) {
        if let Some(state) = self.instances.get_mut(instance) {
            state.status = Status::Skipped;
            state.because_of_failure = because_of_failure;
        }
    }

    /// The run is being cancelled: `cancelled()` is true from now on.
    pub fn cancel(&mut self) {
        self.cancelled = true;
    }

    /// Whether the run is being cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    /// What became of an instance.
    pub fn get(&self, instance: &str) -> Option<&InstanceState> {
        self.instances.get(instance)
    }

    fn values(&self, sees: &BTreeMap<String, Seen>, matrix: &Map<String, Value>) -> Values {
        let one = |id: &String| self.instances.get(id).map(InstanceState::view);
        let mut steps = Map::new();
        for (step, seen) in sees {
            let view = match seen {
                Seen::One(id) => Value::Object(one(id).unwrap_or_default()),
                Seen::All(ids) => ids
                    .iter()
                    .filter_map(|id| {
                        let state = self.instances.get(id)?;
                        let mut view = state.view();
                        view.insert("matrix".to_owned(), Value::Object(state.matrix.clone()));
                        Some(Value::Object(view))
                    })
                    .collect(),
            };
            steps.insert(step.clone(), view);
        }
        let mut values = Values::default();
        for (name, value) in [
            ("inputs", self.inputs.clone()),
            ("git", self.git.clone()),
            ("run", self.run.clone()),
            ("env", self.env.clone()),
            ("matrix", Value::Object(matrix.clone())),
            ("steps", Value::Object(steps)),
        ] {
            values.roots.insert(name, value);
        }
        values
    }

    fn statuses(&self, instance: &Instance) -> Statuses {
        let needs = || {
            instance
                .needs
                .iter()
                .filter_map(|id| self.instances.get(id))
        };
        Statuses {
            success: !self.cancelled && needs().all(InstanceState::satisfies),
            failure: needs().any(|need| {
                matches!(need.status, Status::Failed | Status::TimedOut)
                    || (need.status == Status::Skipped && need.because_of_failure)
            }),
            cancelled: self.cancelled,
        }
    }
}

impl Instance {
    /// Whether the instance runs, once everything that it needs has ended.
    pub fn condition(&self, state: &RunState) -> Result<Condition, Failure> {
        let mut values = state.values(&self.sees, &self.matrix);
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
        let fail = |error: String| {
            let message = format!("the condition of {} can't be evaluated: {error}", self.id);
            Failure::new(
                Class::InvalidInput,
                "expression.failed",
                Owner::Author,
                message,
            )
            .with_help(format!("correct `if: {}`", condition.text))
        };
        let analysis = expression::analyse(&condition.text).map_err(&fail)?;
        let asks = analysis.calls(STATUS_FUNCTIONS);
        let status = asks || self.finally || values.statuses.success;
        let own = if status {
            let value = expression::evaluate(&condition.text, &values).map_err(&fail)?;
            value
                .as_bool()
                .ok_or_else(|| fail("it yields neither true nor false".to_owned()))?
        } else {
            false
        };
        for reference in &analysis.references {
            let mut value = values.roots.get(reference.root.as_str());
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
            // With `success()` in it, would it have run but for the failure?
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

/// Evaluates one of a manifest's requests over a plugin's inputs.
pub(crate) fn evaluate_request(
    key: &str,
    text: &str,
    inputs: &Value,
    schema: &Value,
) -> Result<(Capability, Vec<Scope>), String> {
    let capability =
        Capability::from_name(key).ok_or_else(|| format!("`{key}` is not a capability"))?;
    let mut inputs = inputs.clone();
    schema::fill_defaults(schema, &mut inputs);
    schema::fill_nulls(schema, &mut inputs);
    let mut values = Values::default();
    values.roots.insert("inputs", inputs);
    let value = expression::evaluate(text, &values)?;
    let found = scopes(capability, &value, Reading::Grant).map_err(|problems| {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        texts.join("; ")
    })?;
    Ok((capability, found))
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

/// A value for people to read: long ones are cut.
fn shorten(value: Value) -> Value {
    let text = value.to_string();
    if text.len() <= 200 {
        return value;
    }
    let cut: String = text.chars().take(197).collect();
    json!(format!("{cut}…"))
}
