use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use sidestep_evaluator::Evaluator;
use sidestep_events::{Failure, Foreign, RunStarted};
use sidestep_pipeline::{Instance, Plan, RunState, Seen};

use crate::{Node, Pool, Program, Retry, RunView, Verdict};

/// A [`Plan`] as the engine runs it.
#[derive(Debug)]
pub struct PlanProgram {
    plan: Arc<Plan>,
    nodes: Vec<Node>,
    indices: HashMap<String, usize>,
    /// The state that expressions see. Before an expression is evaluated, only the parts that it
    /// can read are updated.
    state: Mutex<RunState>,
    facts: Facts,
}

/// The facts of the first event, beside the plan.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The runner's version.
    pub version: String,
    /// The file, if the pipeline was read from one.
    pub file: Option<Foreign>,
    /// The sandbox scenario, if the run uses one.
    pub sandbox: Option<String>,
    /// The digest of the plan that the run was started with. The plan of a resumed run has another
    /// digest if a policy has changed since then.
    pub plan_digest: String,
}

impl PlanProgram {
    /// Creates a program from a plan. `evaluator` evaluates its conditions, inputs and outputs.
    ///
    /// Fails when the plan refers to a need that does not exist, or has two steps with the same id.
    /// Plans made by [`sidestep_pipeline`] have neither.
    pub fn new(
        plan: Arc<Plan>,
        facts: Facts,
        evaluator: &Arc<dyn Evaluator>,
    ) -> Result<Self, Failure> {
        plan.check_names()?;
        let indices: HashMap<_, _> = plan
            .instances
            .iter()
            .enumerate()
            .map(|(index, instance)| (instance.id.clone(), index))
            .collect();
        let nodes = plan
            .instances
            .iter()
            .map(|instance| node(instance, &indices))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            nodes,
            indices,
            state: Mutex::new(RunState::new(&plan, evaluator)),
            plan,
            facts,
        })
    }

    /// Returns the plan.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Returns the state, updated with the results of the instances in `seen`.
    fn state<'a>(
        &self,
        view: &RunView,
        seen: impl Iterator<Item = &'a String>,
    ) -> MutexGuard<'_, RunState> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if view.cancelled {
            state.cancel();
        }
        for id in seen {
            let Some(known) = self.indices.get(id).and_then(|i| view.nodes.get(*i)) else {
                continue;
            };
            if state
                .get(id)
                .is_some_and(|told| told.status == known.status)
            {
                continue;
            }
            match &known.outputs {
                Some(Value::Object(outputs)) => {
                    state.set_outputs(id, known.status, outputs.clone());
                }
                _ if known.status == sidestep_events::Status::Skipped => {
                    state.set_skipped(id, known.because_of_failure);
                }
                _ => state.set(id, known.status),
            }
        }
        state
    }
}

impl Program for PlanProgram {
    fn describe(&self) -> RunStarted {
        RunStarted {
            pipeline: self.plan.name.clone(),
            file: self.facts.file.clone(),
            version: self.facts.version.as_str().into(),
            plan_digest: self.facts.plan_digest.as_str().into(),
            sandbox: self.facts.sandbox.as_ref().map(Foreign::from),
            resumed: false,
            steps: self.plan.planned(),
        }
    }

    fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    fn condition(&self, index: usize, view: &RunView) -> Result<Verdict, Failure> {
        let instance = &self.plan.instances[index];
        let mut seen = seen(instance);
        if instance.finally {
            // The condition's status functions cover all of `steps`.
            let steps = self.plan.instances.iter().filter(|other| !other.finally);
            seen.extend(steps.map(|other| other.id.clone()));
        }
        let condition = instance.condition(&self.state(view, seen.iter()))?;
        Ok(if condition.run {
            Verdict::Run
        } else {
            Verdict::Skip {
                condition: condition.text,
                values: condition.values,
                because_of_failure: condition.because_of_failure,
            }
        })
    }

    fn inputs(&self, index: usize, view: &RunView) -> Result<Value, Failure> {
        let instance = &self.plan.instances[index];
        instance.inputs(&self.state(view, seen(instance).iter()))
    }

    fn outputs(&self, view: &RunView) -> Result<Option<Value>, Failure> {
        if self.plan.outputs.is_empty() {
            return Ok(None);
        }
        let seen: BTreeSet<_> = self.plan.sees.values().flat_map(ids).cloned().collect();
        let outputs = self.plan.outputs(&self.state(view, seen.iter()))?;
        Ok(Some(Value::Object(outputs)))
    }
}

fn node(instance: &Instance, indices: &HashMap<String, usize>) -> Result<Node, Failure> {
    let needs = seen(instance)
        .into_iter()
        .map(|need| {
            indices.get(&need).copied().ok_or_else(|| {
                Failure::bug(format!(
                    "{} needs {need}, which the plan lacks",
                    instance.id
                ))
            })
        })
        .collect::<Result<_, _>>()?;
    let matrix = !instance.matrix.is_empty();
    Ok(Node {
        step: instance.step.clone(),
        instance: instance.id.clone(),
        needs,
        finally: instance.finally,
        retry: instance.retry.as_ref().map_or_else(Retry::default, retry),
        timeout: instance.timeout_ms.map(Duration::from_millis),
        pool: matrix.then(|| Pool {
            name: instance.step.clone(),
            max_parallel: instance.max_parallel.map(|most| most as usize),
            fail_fast: instance.fail_fast,
        }),
    })
}

fn retry(retry: &sidestep_pipeline::Retry) -> Retry {
    Retry {
        attempts: retry.attempts,
        on: retry.on.clone(),
        delay: Duration::from_millis(retry.delay_ms),
        max_delay: Duration::from_millis(retry.max_delay_ms),
    }
}

/// Returns the instances whose state the instance's expressions can depend on.
fn seen(instance: &Instance) -> BTreeSet<String> {
    let read = instance.sees.values().flat_map(ids);
    instance.needs.iter().chain(read).cloned().collect()
}

fn ids(seen: &Seen) -> &[String] {
    match seen {
        Seen::One(id) => std::slice::from_ref(id),
        Seen::All(ids) => ids,
    }
}
