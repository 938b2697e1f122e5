use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde_json::{Map, Value};
use sidestep_events::{Diagnostic, Position};
use sidestep_policy::{
    Capability, Granted, Grants, Origin, PluginFacts, Policy, Reading, Requested, Scope,
    StepScopes, locate, meet, nearest, secrets,
};

use crate::expression::{self, Values};
use crate::file::{Pipeline, Step};
use crate::manifest::Manifest;
use crate::plan::{Instance, Plan, Seen};
use crate::problems::Problems;
use crate::template::Template;
use crate::with::{self, Reader};
use crate::{context, outputs, resolve, schema, state};

/// The most instances of one plan.
pub const MAX_INSTANCES: usize = 10_000;

/// A plugin that a pipeline uses.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginInfo {
    /// What it says about itself.
    pub manifest: Manifest,
    /// `sha256:` of its bytes.
    pub digest: String,
    /// Whether it is one of the runner's own, which are granted what they request.
    pub built_in: bool,
    /// Who signed it, where a signature was verified.
    pub signer: Option<String>,
}

/// What a plan needs besides the file.
#[derive(Debug, Clone)]
pub struct PlanInputs<'a> {
    /// The pipeline's inputs as they were given. A text counts as a number, a boolean, a list or
    /// a map where the file wants one.
    pub inputs: Map<String, Value>,
    /// The plugins, by the name that the file's `uses` has.
    pub plugins: &'a BTreeMap<String, PluginInfo>,
    /// What `git` is in expressions: `commit`, `branch`, ….
    pub git: Value,
    /// What `run` is in expressions: `id`, ….
    pub run: Value,
    /// The environment; expressions see only what the file lists of it.
    pub env: Value,
    /// Every policy that was found.
    pub policies: &'a [Policy],
    /// Where the run's code comes from, for policies.
    pub origin: Origin,
    /// Plugins of `uses` that could not be had, which is reported by whoever looked for them.
    pub unavailable: BTreeSet<String>,
    /// Plans as if each step were granted exactly what its plugin requests, and no policy capped
    /// it: to see what there is to grant. Such a plan is not to be run.
    pub as_requested: bool,
}

impl<'a> PlanInputs<'a> {
    /// Plugins alone: no inputs, no facts, no policy.
    pub fn new(plugins: &'a BTreeMap<String, PluginInfo>) -> Self {
        let empty = || Value::Object(Map::new());
        Self {
            inputs: Map::new(),
            plugins,
            git: empty(),
            run: empty(),
            env: empty(),
            policies: &[],
            origin: Origin::default(),
            unavailable: BTreeSet::new(),
            as_requested: false,
        }
    }
}

/// Makes the plan of a run. Everything that can be checked without running anything is: types of
/// inputs, names of outputs, grants, policy. All problems come back at once.
pub fn plan(pipeline: &Pipeline, given: PlanInputs<'_>) -> Result<Plan, Vec<Diagnostic>> {
    let Planned { plan, problems } = plan_partly(pipeline, given, Vec::new());
    if problems.is_empty() {
        Ok(plan)
    } else {
        Err(problems)
    }
}

/// A plan as far as it goes.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The plan. Where something is wrong it has only the instances that are right, and is not to
    /// be run.
    pub plan: Plan,
    /// What is wrong, each with its place.
    pub problems: Vec<Diagnostic>,
}

/// Plans as much as can be. `found` is what is wrong with the file already: whatever follows from
/// that alone is not said again.
pub fn plan_partly(pipeline: &Pipeline, given: PlanInputs<'_>, found: Vec<Diagnostic>) -> Planned {
    let mut problems = Problems::new(&pipeline.file, found);
    let env = resolve::env(pipeline, &given.env);
    let inputs = resolve::inputs(&mut problems, pipeline, &given, &env);
    let mut planner = Planner {
        pipeline,
        given: &given,
        values: Values::default(),
        instances: Vec::new(),
        by_step: BTreeMap::new(),
        right: BTreeSet::new(),
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
        planner.values.roots.insert(name, value);
    }
    planner.steps(&mut problems);
    let sees = planner.sees_all();
    let mut results = IndexMap::new();
    for (name, (_, written)) in &pipeline.outputs {
        outputs::names(&mut problems, pipeline, &given, &sees, &written.expressions);
        let mut reader = Reader::new(&planner.values, &Value::Null);
        let template = reader.read(&mut problems, &written.node, &[]);
        results.insert(name.clone(), template.simplify());
    }
    let mut instances = planner.instances;
    if !problems.is_empty() {
        let mut index = 0..;
        instances.retain(|_| index.next().is_some_and(|i| planner.right.contains(&i)));
    }
    let plan = Plan {
        version: 1,
        name: pipeline.name.clone(),
        file: pipeline.file.clone(),
        inputs,
        git: given.git.clone(),
        run: given.run.clone(),
        env,
        secrets: pipeline.secrets.clone(),
        max_parallel: pipeline.max_parallel,
        timeout_ms: pipeline.timeout_ms,
        instances,
        outputs: results,
        sees,
        policies: given.policies.iter().map(|p| p.file.clone()).collect(),
        warnings: planner.warnings,
    };
    Planned {
        plan,
        problems: problems.finish(),
    }
}

struct Planner<'a> {
    pipeline: &'a Pipeline,
    given: &'a PlanInputs<'a>,
    values: Values,
    instances: Vec<Instance>,
    by_step: BTreeMap<String, Vec<usize>>,
    /// The instances that nothing is wrong with.
    right: BTreeSet<usize>,
    warnings: Vec<Diagnostic>,
}

impl Planner<'_> {
    fn steps(&mut self, problems: &mut Problems<'_>) {
        for step in &self.pipeline.steps {
            let Some(plugin) = self.given.plugins.get(&step.uses) else {
                if self.given.unavailable.contains(&step.uses) || problems.has_at(step.uses_at) {
                    continue;
                }
                problems.unknown(
                    "plugin.unknown",
                    step.uses_at,
                    format!("there is no plugin `{}`", step.uses),
                    &step.uses,
                    self.given.plugins.keys().map(String::as_str),
                );
                continue;
            };
            let combinations = match &step.matrix {
                Some(matrix) => matrix.combinations.clone(),
                None => vec![Map::new()],
            };
            if self.instances.len() + combinations.len() > MAX_INSTANCES {
                let message =
                    format!("with this step the plan has more than {MAX_INSTANCES} instances");
                problems.add("pipeline.too-many", step.at, message);
                return;
            }
            for combination in combinations {
                self.instance(problems, step, plugin, combination);
            }
        }
    }

    fn instance(
        &mut self,
        problems: &mut Problems<'_>,
        step: &Step,
        plugin: &PluginInfo,
        matrix: Map<String, Value>,
    ) {
        let schema = &plugin.manifest.inputs;
        let before = problems.count();
        let mut values = self.values.clone();
        if !step.broken_matrix {
            values.roots.insert("matrix", Value::Object(matrix.clone()));
        }
        let (sees, needs) = self.sees(step, &matrix);
        outputs::names(problems, self.pipeline, self.given, &sees, &step.reads);
        outputs::nulls(problems, self.pipeline, step);
        let Some(with) = with::of_step(problems, self.pipeline, self.given, step, schema, &values)
        else {
            return;
        };
        let (known, unknown) = with.known(&values);
        let found = with::check(problems, step, schema, &known, &unknown);
        let index = self.instances.len();
        let mut instance = Instance {
            id: instance_id(&step.id, &matrix),
            step: step.id.clone(),
            uses: step.uses.clone(),
            plugin: plugin.manifest.name.clone(),
            plugin_digest: plugin.digest.clone(),
            built_in: plugin.built_in,
            matrix,
            with,
            outputs: schema::property_names(&schema::candidates(
                &plugin.manifest.outputs,
                &plugin.manifest.outputs,
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
            secrets: step.secrets.iter().map(|(name, _)| name.clone()).collect(),
            input_schema: schema.clone(),
        };
        // What a plugin asks for can't be worked out from inputs that are wrong.
        let known_later =
            |text: &&str| outputs::waits(text) || expression::evaluate(text, &values).is_ok();
        let workable = found
            && instance.with.expressions().iter().all(known_later)
            && grants_are_readable(problems, step, &values);
        if workable {
            self.scopes(
                problems,
                step,
                plugin,
                &values,
                (&known, &unknown),
                &mut instance,
            );
        }
        if workable && problems.count() == before {
            self.right.insert(index);
        }
        self.instances.push(instance);
        self.by_step.entry(step.id.clone()).or_default().push(index);
    }

    /// What a step sees of the steps that it needs, and the instances that it waits for.
    fn sees(
        &self,
        step: &Step,
        matrix: &Map<String, Value>,
    ) -> (BTreeMap<String, Seen>, Vec<String>) {
        let mut sees = BTreeMap::new();
        let mut needs = Vec::new();
        for need in &step.needs {
            let instances = self
                .by_step
                .get(need)
                .map(Vec::as_slice)
                .unwrap_or_default();
            let instances = instances.iter().map(|index| &self.instances[*index]);
            let has_matrix = self
                .pipeline
                .steps
                .iter()
                .any(|other| other.id == *need && other.matrix.is_some());
            let seen = if has_matrix {
                let pair = instances.clone().find(|instance| {
                    instance
                        .matrix
                        .iter()
                        .all(|(key, value)| matrix.get(key) == Some(value))
                });
                match pair {
                    Some(instance) => Seen::One(instance.id.clone()),
                    None => Seen::All(instances.map(|instance| instance.id.clone()).collect()),
                }
            } else {
                Seen::One(need.clone())
            };
            match &seen {
                Seen::One(id) => needs.push(id.clone()),
                Seen::All(ids) => needs.extend(ids.iter().cloned()),
            }
            sees.insert(need.clone(), seen);
        }
        (sees, needs)
    }

    fn sees_all(&self) -> BTreeMap<String, Seen> {
        let steps = self.pipeline.steps.iter();
        steps
            .map(|step| {
                let ids = self
                    .by_step
                    .get(&step.id)
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                let seen = if step.matrix.is_some() {
                    Seen::All(ids.iter().map(|i| self.instances[*i].id.clone()).collect())
                } else {
                    Seen::One(step.id.clone())
                };
                (step.id.clone(), seen)
            })
            .collect()
    }

    fn scopes(
        &mut self,
        problems: &mut Problems<'_>,
        step: &Step,
        plugin: &PluginInfo,
        values: &Values,
        (known, unknown): (&Value, &[String]),
        instance: &mut Instance,
    ) {
        let written = if self.given.as_requested {
            Grants::default()
        } else {
            let Some(written) = written_grants(problems, step, plugin, values) else {
                return;
            };
            written
        };
        let mut requested = BTreeMap::new();
        for (key, text) in &plugin.manifest.requests {
            match request(key, text, known, unknown, plugin, &instance.with) {
                Ok((capability, Requested::Later(on))) => {
                    if capability != Capability::Secrets || self.given.as_requested {
                        instance.later_requests.insert(key.clone(), text.clone());
                    }
                    if !self.given.as_requested {
                        requested.insert(capability, Requested::Later(on));
                    }
                }
                Ok((capability, now)) => {
                    requested.insert(capability, now);
                }
                Err(message) => problems.add_help(
                    "plugin.request",
                    step.uses_at,
                    format!(
                        "what `{}` asks for under `{key}` can't be worked out: {message}",
                        step.uses
                    ),
                    "this is the plugin's to mend, unless one of its inputs is odd",
                ),
            }
        }
        let facts = PluginFacts {
            name: &step.uses,
            digest: &plugin.digest,
            signer: plugin.signer.as_deref(),
        };
        let ceilings: Vec<_> = self
            .given
            .policies
            .iter()
            .filter(|_| !self.given.as_requested)
            .map(|policy| policy.ceiling(&self.given.origin, facts))
            .collect();
        let granted = Granted {
            written: &written,
            automatic: plugin.built_in || self.given.as_requested,
        };
        let at = step.grants.as_ref().map_or(step.uses_at, |(at, _)| *at);
        match meet(&requested, granted, &ceilings) {
            Ok(scopes) => {
                for line in scopes.audited() {
                    let warning = Diagnostic::warning("policy.audit", line.clone());
                    self.warnings.push(warning.at(problems.file(), at));
                }
                let secrets = step.secrets.iter().filter(|_| !self.given.as_requested);
                for (name, at) in secrets {
                    if let Err(refusal) = scopes.allows(&secrets::Request { name }) {
                        problems.push(refusal.diagnostic(), *at);
                    }
                }
                instance.scopes = scopes;
            }
            Err(refusals) => {
                for refusal in refusals {
                    let mut diagnostic = refusal.diagnostic();
                    diagnostic.message = format!("step `{}`: {}", instance.id, diagnostic.message);
                    problems.push(diagnostic, at);
                }
            }
        }
    }
}

fn instance_id(step: &str, matrix: &Map<String, Value>) -> String {
    if matrix.is_empty() {
        return step.to_owned();
    }
    let parts: Vec<String> = matrix
        .iter()
        .map(|(key, value)| match value {
            Value::String(text) => format!("{key}={text}"),
            other => format!("{key}={other}"),
        })
        .collect();
    format!("{step}[{}]", parts.join(","))
}

/// Whether the expressions of a step's grants have values.
fn grants_are_readable(problems: &Problems<'_>, step: &Step, values: &Values) -> bool {
    let Some((_, node)) = &step.grants else {
        return true;
    };
    let (mut scratch, mut found) = (Problems::new(problems.file(), Vec::new()), Vec::new());
    context::collect(&mut scratch, context::IN_GRANTS, node, &mut found);
    scratch.is_empty()
        && !found
            .iter()
            .any(|one| values.lacks(&one.analysis) || problems.has_at(one.at))
}

/// What the step grants, in its `grants` and its `secrets`.
fn written_grants(
    problems: &mut Problems<'_>,
    step: &Step,
    plugin: &PluginInfo,
    values: &Values,
) -> Option<Grants> {
    let before = problems.count();
    let mut grants = Grants::default();
    if let Some((at, node)) = &step.grants {
        let unasked = |problems: &mut Problems<'_>, key: &str, at: Position| {
            let asks: Vec<&str> = plugin
                .manifest
                .requests
                .keys()
                .map(String::as_str)
                .collect();
            let message = format!("`{}` does not ask for `{key}`", step.uses);
            let help = if asks.is_empty() {
                "remove this grant: the plugin asks for nothing".to_owned()
            } else {
                format!("remove this grant; the plugin asks for {}", asks.join(", "))
            };
            problems.add_help("grant.not-requested", at, message, help);
        };
        for (key, _) in node.entries() {
            if key.text == "secrets" {
                problems.add_help(
                    "grant.secrets",
                    key.at,
                    "secrets are granted by the step's own `secrets`",
                    "write `secrets: [NAME]` beside `grants`",
                );
            } else if Capability::from_name(&key.text).is_some()
                && !plugin.manifest.requests.contains_key(&key.text)
            {
                unasked(problems, &key.text, key.at);
            }
        }
        let evaluated = problems.count();
        let mut value = with::texts(problems, node, values);
        if problems.count() > evaluated {
            return None;
        }
        if let Value::Object(map) = &mut value {
            map.shift_remove(Capability::Secrets.as_str());
        }
        match Grants::parse(&value, Reading::Grant) {
            Ok(read) => grants = read,
            Err(found) => {
                for problem in found {
                    let place = if problem.path.is_empty() {
                        *at
                    } else {
                        locate(node, &problem.path)
                    };
                    match problem.help {
                        Some(help) => {
                            problems.add_help("grant.wrong", place, problem.message, help);
                        }
                        None => problems.add("grant.wrong", place, problem.message),
                    }
                }
            }
        }
    }
    if let Some((_, at)) = step.secrets.first() {
        if plugin
            .manifest
            .requests
            .contains_key(Capability::Secrets.as_str())
        {
            let names: Vec<&str> = step.secrets.iter().map(|(name, _)| name.as_str()).collect();
            let scope = serde_json::json!({ "names": names });
            if let Ok(scope) = Scope::parse(Capability::Secrets, &scope, Reading::Grant) {
                grants.insert(Capability::Secrets, vec![scope]);
            }
        } else {
            problems.add_help(
                "grant.not-requested",
                *at,
                format!("`{}` does not ask for secrets", step.uses),
                "remove `secrets`",
            );
        }
    }
    (problems.count() == before).then_some(grants)
}

/// A manifest's request, as far as the inputs are known.
fn request(
    key: &str,
    text: &str,
    known: &Value,
    unknown: &[String],
    plugin: &PluginInfo,
    with: &Template,
) -> Result<(Capability, Requested), String> {
    let capability = Capability::from_name(key).ok_or_else(|| {
        let names = Capability::ALL.iter().map(|c| c.as_str());
        match nearest(key, names) {
            Some(known) => format!("there is no capability `{key}`; `{known}` is one"),
            None => format!("there is no capability `{key}`"),
        }
    })?;
    if capability == Capability::Secrets {
        return Ok((
            capability,
            Requested::Later("the step's `secrets`".to_owned()),
        ));
    }
    let analysis = expression::analyse(text)?;
    for reference in &analysis.references {
        if reference.root != "inputs" {
            return Err(format!(
                "`{}` is not known; a request reads `inputs`",
                reference.root
            ));
        }
        let path: String = reference
            .path
            .iter()
            .map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1")))
            .collect();
        let within = |outer: &str, inner: &str| {
            inner
                .strip_prefix(outer)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if unknown
            .iter()
            .any(|at| within(at, &path) || within(&path, at))
        {
            let on = later_on(with, &reference.path);
            return Ok((capability, Requested::Later(on)));
        }
    }
    let (capability, scopes) = state::evaluate_request(key, text, known, &plugin.manifest.inputs)?;
    Ok((capability, Requested::Now(scopes)))
}

/// The names that an input waits for.
fn later_on(with: &Template, path: &[String]) -> String {
    let mut template = with;
    for part in path {
        match template {
            Template::Map(entries) => match entries.get(part) {
                Some(inner) => template = inner,
                None => break,
            },
            _ => break,
        }
    }
    let mut names: Vec<String> = template
        .expressions()
        .iter()
        .filter_map(|text| expression::analyse(text).ok())
        .flat_map(|analysis| analysis.references)
        .filter(|reference| reference.root == "steps")
        .map(|reference| reference.text())
        .collect();
    names.sort();
    names.dedup();
    names.join(" and ")
}
