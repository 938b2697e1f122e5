//! The status of a run's instances, and its effect on other instances.

mod condition;
mod late;
mod line;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};
use sidestep_evaluator::{Evaluator, Statuses};
use sidestep_events::{Position, Status};

use crate::expression::Values;
use crate::plan::{Instance, Plan, Seen};

use line::Line;

pub use condition::Condition;

/// The values that expressions can read during a run: the plan's facts, and the status of each
/// instance.
#[derive(Debug, Clone)]
pub struct RunState {
    evaluator: Arc<dyn Evaluator>,
    file: String,
    input_schemas: BTreeMap<String, Arc<Value>>,
    inputs: Arc<Value>,
    git: Arc<Value>,
    run: Arc<Value>,
    env: Arc<Value>,
    instances: BTreeMap<String, InstanceState>,
    cancelled: bool,
}

/// The status and outputs of an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceState {
    /// Its status.
    pub status: Status,
    /// Its outputs, if it has any.
    pub outputs: Option<Map<String, Value>>,
    /// Whether it was skipped because a dependency failed, and not by its own `if`.
    pub because_of_failure: bool,
    /// Whether it belongs to `finally`.
    pub finally: bool,
    /// Its combination of the matrix.
    pub matrix: Map<String, Value>,
    /// The outputs that its plugin declares.
    pub declared: Vec<String>,
    /// The instances that it needs.
    needs: Vec<String>,
    line: OnceLock<Line>,
}

impl InstanceState {
    /// Returns whether a dependent step counts this one as done: it succeeded, or did not have to
    /// run.
    pub fn satisfies(&self) -> bool {
        self.status.has_outputs() || (self.status == Status::Skipped && !self.because_of_failure)
    }

    /// Returns `{status, outputs}` with every declared output; missing ones are null.
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
    /// Creates the state before any instance has run.
    pub fn new(plan: &Plan, evaluator: &Arc<dyn Evaluator>) -> Self {
        let pending = |instance: &Instance| InstanceState {
            status: Status::Pending,
            outputs: None,
            because_of_failure: false,
            finally: instance.finally,
            matrix: instance.matrix.clone(),
            declared: instance.outputs.clone(),
            needs: instance.needs.clone(),
            line: OnceLock::new(),
        };
        Self {
            evaluator: Arc::clone(evaluator),
            file: plan.file.exact().to_owned(),
            input_schemas: plan.input_schemas.clone(),
            inputs: Arc::new(Value::Object(plan.inputs.clone())),
            git: Arc::new(plan.git.clone()),
            run: Arc::new(plan.run.clone()),
            env: Arc::new(Value::Object(plan.env.clone())),
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
        if let Some(state) = self.changed(instance) {
            state.status = status;
        }
    }

    /// Records an instance that ended with outputs: `succeeded`, or `cached`.
    pub fn set_outputs(&mut self, instance: &str, status: Status, outputs: Map<String, Value>) {
        if let Some(state) = self.changed(instance) {
            state.status = status;
            state.outputs = Some(outputs);
        }
    }

    /// Records an instance that was skipped, by its own condition or because of an earlier failure.
    pub fn set_skipped(&mut self, instance: &str, because_of_failure: bool) {
        if let Some(state) = self.changed(instance) {
            state.status = Status::Skipped;
            state.because_of_failure = because_of_failure;
        }
    }

    fn changed(&mut self, instance: &str) -> Option<&mut InstanceState> {
        let state = self.instances.get_mut(instance)?;
        state.line = OnceLock::new();
        Some(state)
    }

    /// Marks the run as being cancelled: `cancelled()` is true from now on.
    pub fn cancel(&mut self) {
        self.cancelled = true;
    }

    /// Returns whether the run is being cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    /// Returns the state of an instance.
    pub fn get(&self, instance: &str) -> Option<&InstanceState> {
        self.instances.get(instance)
    }

    fn values(
        &self,
        sees: &BTreeMap<String, Seen>,
        matrix: &Map<String, Value>,
        places: &BTreeMap<String, Position>,
    ) -> Values {
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
        let mut values = Values::new(&self.evaluator);
        values.places = places
            .iter()
            .map(|(text, at)| {
                let place = format!("{}:{}:{}", self.file, at.line, at.column);
                (text.clone(), place)
            })
            .collect();
        for (name, value) in [
            ("inputs", Arc::clone(&self.inputs)),
            ("git", Arc::clone(&self.git)),
            ("run", Arc::clone(&self.run)),
            ("env", Arc::clone(&self.env)),
            ("matrix", Arc::new(Value::Object(matrix.clone()))),
            ("steps", Arc::new(Value::Object(steps))),
        ] {
            values.roots.insert(name, value);
        }
        values
    }

    /// Returns the results of the status functions. In `steps` they cover the needs and their
    /// needs; in `finally` they cover the whole run, whatever the step needs.
    fn statuses(&self, instance: &Instance) -> Statuses {
        let line = if instance.finally {
            let steps = self.instances.values().filter(|state| !state.finally);
            steps.map(InstanceState::own).collect()
        } else {
            instance
                .needs
                .iter()
                .map(|id| self.line(id))
                .collect::<Line>()
        };
        Statuses {
            success: !self.cancelled && line.satisfied,
            failure: line.failed,
            cancelled: self.cancelled,
        }
    }
}
