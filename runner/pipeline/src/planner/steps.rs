//! Plans one instance at a time: its inputs, its dependencies, and its permissions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};
use sidestep_events::{Diagnostic, PluginRef, Position, codes};
use sidestep_names::instance_id;
use sidestep_policy::StepScopes;

use super::grants::Facts;
use super::planned::Instances;
use super::texts::are_readable;
use super::{MAX_DEPENDENCIES, MAX_INSTANCES};
use crate::expression::{self, Values};
use crate::file::{Expression, Pipeline, Step};
use crate::given::{PlanInputs, PluginInfo};
use crate::plan::{Instance, Seen};
use crate::problems::Problems;
use crate::template::Template;
use crate::{outputs, schema, sense, with};

/// The state of a plan under construction.
pub(super) struct Planner<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) given: &'a PlanInputs<'a>,
    pub(super) values: Values,
    pub(super) instances: Instances,
    /// The number of dependencies between instances so far.
    pub(super) edges: usize,
    /// The indexes of the instances without errors.
    pub(super) right: BTreeSet<usize>,
    pub(super) input_schemas: BTreeMap<String, Arc<Value>>,
    pub(super) warnings: Vec<Diagnostic>,
}

/// The plugin of a step.
#[derive(Clone, Copy)]
pub(super) struct Used<'a> {
    pub(super) uses: &'a PluginRef,
    pub(super) info: &'a PluginInfo,
}

impl Planner<'_> {
    pub(super) fn steps(&mut self, problems: &mut Problems<'_>) {
        for step in self.pipeline.steps.iter() {
            sense::of_step(problems, self.pipeline, self.given, step);
            let plugin = plugin(problems, self.given, step);
            let combinations = match &step.matrix {
                Some(matrix) => matrix.combinations.clone(),
                None => vec![Map::new()],
            };
            if self.instances.all.len() + combinations.len() > MAX_INSTANCES {
                let message =
                    format!("with this step the plan has more than {MAX_INSTANCES} instances");
                problems.add(codes::pipeline::TOO_MANY, step.at, message);
                return;
            }
            for combination in combinations {
                if self.edges > MAX_DEPENDENCIES {
                    let message = format!(
                        "with this step the instances of the plan have more than \
                         {MAX_DEPENDENCIES} dependencies"
                    );
                    let help = "an instance of a matrix needs all instances of another matrix, \
                                unless both have the same keys: give both the same keys, or put a \
                                step without a matrix between them";
                    problems.add_help(codes::pipeline::TOO_MANY, step.at, message, help);
                    return;
                }
                self.instance(problems, step, plugin, combination);
            }
        }
    }

    /// Plans one instance. If it has errors, all that does not depend on them is checked as well.
    fn instance(
        &mut self,
        problems: &mut Problems<'_>,
        step: &Step,
        plugin: Option<Used<'_>>,
        matrix: Map<String, Value>,
    ) {
        let before = problems.count();
        let mut values = self.values.clone();
        if !step.broken_matrix {
            values
                .roots
                .insert("matrix", Arc::new(Value::Object(matrix.clone())));
        }
        let (sees, needs) = self.sees(step, &matrix);
        self.edges += needs.len();
        outputs::names(problems, self.pipeline, self.given, &sees, &step.reads);
        outputs::nulls(problems, self.pipeline, step);
        let id = instance_id(&step.id, &matrix);
        self.instances.declare(step, &id, &matrix);
        // Without a plugin, nothing is known of its inputs, but their expressions are checked.
        let schema = plugin.map_or(&Value::Null, |plugin| &plugin.info.manifest.inputs);
        let with = with::of_step(problems, self.pipeline, self.given, step, schema, &values);
        let written = self.written(problems, step, plugin, &values);
        let (Some(plugin), Some(with)) = (plugin, with) else {
            return;
        };
        let (known, unknown) = with.known(&values);
        let fits = with::check(problems, step, schema, &known, &unknown);
        let named = with::check_clusters(problems, self.pipeline, step, schema, &known);
        let found = fits && named;
        let index = self.instances.all.len();
        self.input_schemas
            .entry(plugin.info.digest.clone())
            .or_insert_with(|| Arc::new(schema.clone()));
        let mut instance = Instance {
            id,
            step: step.id.clone(),
            uses: plugin.uses.clone(),
            plugin: plugin.info.manifest.name.clone(),
            plugin_digest: plugin.info.digest.clone(),
            matrix,
            with,
            outputs: schema::property_names(&schema::candidates(
                &plugin.info.manifest.outputs,
                &plugin.info.manifest.outputs,
            ))
            .into_iter()
            .map(str::to_owned)
            .collect(),
            needs,
            sees,
            condition: step
                .condition
                .as_ref()
                .map(|condition| condition.text.clone()),
            finally: step.finally,
            retry: step
                .retry
                .clone()
                .or_else(|| self.pipeline.defaults.retry.clone()),
            timeout_ms: step.timeout_ms.or(self.pipeline.defaults.timeout_ms),
            fail_fast: step.fail_fast,
            max_parallel: step.max_parallel,
            scopes: StepScopes::default(),
            later_requests: IndexMap::new(),
            places: BTreeMap::new(),
            secrets: step.secrets.iter().map(|(name, _)| name.clone()).collect(),
        };
        let condition = step.condition.iter();
        instance.places = places(&instance.with, &step.reads);
        instance
            .places
            .extend(condition.map(|condition| (condition.text.clone(), condition.at.at)));
        // The requests of a plugin cannot be evaluated from wrong inputs.
        let known_later = |text: &&str| {
            expression::waits(&*values.evaluator, text)
                || expression::evaluate(text, &values).is_ok()
        };
        let workable = found
            && instance.with.expressions().iter().all(known_later)
            && are_readable(problems, step, &values);
        if let Some(written) = written.filter(|_| workable) {
            self.scopes(
                problems,
                step,
                plugin,
                &values,
                Facts {
                    known: &known,
                    unknown: &unknown,
                    written: &written,
                },
                &mut instance,
            );
            if problems.count() == before {
                self.right.insert(index);
            }
        }
        self.instances.all.push(instance);
    }

    /// Returns the value of `steps` for a step, and the instances that it waits for.
    fn sees(
        &self,
        step: &Step,
        matrix: &Map<String, Value>,
    ) -> (BTreeMap<String, Seen>, Vec<String>) {
        let sees = self.instances.seen_by(self.pipeline, step, matrix);
        let needs = step.needs.iter().filter_map(|need| sees.get(need));
        let needs = needs.flat_map(|seen| match seen {
            Seen::One(id) => std::slice::from_ref(id),
            Seen::All(ids) => ids,
        });
        let needs = needs.cloned().collect();
        (sees, needs)
    }
}

/// Returns the plugin of a step, or reports that it does not exist.
fn plugin<'g>(
    problems: &mut Problems<'_>,
    given: &'g PlanInputs<'_>,
    step: &Step,
) -> Option<Used<'g>> {
    let uses = step.uses.as_ref()?;
    if let Some((uses, info)) = given.plugins.get_key_value(uses) {
        return Some(Used { uses, info });
    }
    if !given.unavailable.contains(uses) && !problems.has_at(step.uses_at) {
        problems.unknown(
            codes::plugin::UNKNOWN,
            step.uses_at,
            format!("there is no plugin `{}`", uses.as_str()),
            uses.as_str(),
            given.plugins.keys().map(PluginRef::as_str),
        );
    }
    None
}

/// Returns the places of the expressions that a template still holds.
pub(super) fn places(template: &Template, written: &[Expression]) -> BTreeMap<String, Position> {
    let texts = template.expressions();
    written
        .iter()
        .filter(|expression| texts.contains(&expression.text.as_str()))
        .map(|expression| (expression.text.clone(), expression.at.at))
        .collect()
}
