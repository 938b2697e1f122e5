//! Makes the plan of a run from a checked file.

mod grants;
mod links;
mod planned;
mod steps;
mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;
use sidestep_events::{Diagnostic, Foreign};

use crate::expression::Values;
use crate::file::Pipeline;
use crate::given::PlanInputs;
use crate::plan::Plan;
use crate::problems::Problems;
use crate::with::Reader;
use crate::{outputs, resolve, sense};
use planned::Instances;
use steps::Planner;

/// The maximum number of instances of one plan.
pub const MAX_INSTANCES: usize = 10_000;
/// The maximum number of dependencies between the instances of one plan.
const MAX_DEPENDENCIES: usize = 500_000;

/// Makes the plan of a run. Checks everything that needs no run: types of inputs, names of
/// outputs, grants, policies. Returns all problems at once.
pub fn plan(pipeline: &Pipeline, given: PlanInputs<'_>) -> Result<Plan, Vec<Diagnostic>> {
    let Planned { plan, problems } = plan_partly(pipeline, given, Vec::new());
    if problems.is_empty() {
        Ok(plan)
    } else {
        Err(problems)
    }
}

/// A plan, complete or partial.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The plan. If there are errors, it holds only the correct instances and must not be run.
    pub plan: Plan,
    /// All errors, each with its place.
    pub problems: Vec<Diagnostic>,
}

/// Plans as much as possible. `found` holds the errors of the file; errors that only follow from
/// them are not reported again.
pub fn plan_partly(pipeline: &Pipeline, given: PlanInputs<'_>, found: Vec<Diagnostic>) -> Planned {
    let evaluator = Arc::clone(&given.evaluator);
    let mut problems = Problems::new(&pipeline.file, &*evaluator, found);
    let env = resolve::env(pipeline, &given.env);
    let inputs = resolve::inputs(&mut problems, pipeline, &given, &env);
    let mut planner = Planner {
        pipeline,
        given: &given,
        values: Values::new(&given.evaluator),
        instances: Instances::default(),
        edges: 0,
        right: BTreeSet::new(),
        input_schemas: BTreeMap::new(),
        warnings: Vec::new(),
    };
    let named = pipeline.declared.inputs.iter();
    planner.values.missing = named
        .filter(|name| !inputs.contains_key(*name))
        .cloned()
        .collect();
    for (name, value) in [
        ("inputs", Value::Object(inputs.clone())),
        ("git", given.git.clone()),
        ("run", given.run.clone()),
        ("env", Value::Object(env.clone())),
    ] {
        planner.values.roots.insert(name, Arc::new(value));
    }
    planner.steps(&mut problems);
    let sees = planner.instances.seen_at_the_end(pipeline);
    let mut results = IndexMap::new();
    let mut places = BTreeMap::new();
    for (name, (_, written)) in &pipeline.outputs {
        outputs::names(&mut problems, pipeline, &given, &sees, &written.expressions);
        sense::of_output(&mut problems, pipeline, &given, &written.expressions);
        outputs::nulls_of_outputs(&mut problems, pipeline, &written.expressions);
        let mut reader = Reader::new(&planner.values, &Value::Null);
        let template = reader.read(&mut problems, &written.node, &[]);
        for (expression, wanted) in &reader.wanted {
            outputs::types(&mut problems, pipeline, &given, None, expression, wanted);
        }
        let template = template.simplify();
        places.extend(steps::places(&template, &written.expressions));
        results.insert(name.clone(), template);
    }
    let mut instances = planner.instances.all;
    if !problems.is_empty() {
        let mut index = 0..;
        instances.retain(|_| index.next().is_some_and(|i| planner.right.contains(&i)));
    }
    let plan = Plan {
        version: 1,
        name: pipeline.name.as_str().into(),
        file: pipeline.file.as_str().into(),
        inputs,
        git: given.git.clone(),
        run: given.run.clone(),
        env,
        secrets: pipeline.secrets.clone(),
        max_parallel: pipeline.max_parallel,
        timeout_ms: pipeline.timeout_ms,
        instances,
        input_schemas: planner.input_schemas,
        outputs: results,
        places,
        sees,
        policies: given
            .policies
            .iter()
            .map(|p| Foreign::from(&p.file))
            .collect(),
        warnings: planner.warnings,
    };
    Planned {
        plan,
        problems: problems.finish(),
    }
}
