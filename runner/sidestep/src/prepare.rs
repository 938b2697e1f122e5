//! From a file to what can run: parse, find the plugins, plan, and let each plugin check. This is
//! the one path of `validate`, `plan`, `run` and `exec`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use sidestep_capabilities::{NewIntent, StepContext, StepSink};
use sidestep_catalog::Package;
use sidestep_events::{Diagnostic, Done, Event, Failure, IntentId};
use sidestep_host::{Incarnation, Plugin};
use sidestep_pipeline::{
    Pipeline, Plan, PlanInputs, Planned, PluginInfo, SecretSource, Source, UnknownStep,
    parse_partly, plan_partly,
};
use sidestep_state::RunId;
use tokio_util::sync::CancellationToken;

use crate::commands::Session;
use crate::equipment::{Equipment, catalog, load};
use crate::problems::Problems;
use crate::{facts, policies};

/// What the user gives beside the file.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) inputs: Map<String, Value>,
    pub(crate) policy: Option<PathBuf>,
    pub(crate) run_id: Option<RunId>,
    /// The steps that are wanted, with what they need; all if it is empty.
    pub(crate) steps: Vec<String>,
    /// Plan as if each plugin were granted what it requests: only to look at.
    pub(crate) as_requested: bool,
}

/// What can run.
pub(crate) struct Prepared {
    pub(crate) plan: Plan,
    pub(crate) plugins: HashMap<String, Plugin>,
    pub(crate) run: RunId,
    /// Warnings and notes: nothing that stops a start.
    pub(crate) remarks: Problems,
}

/// Checks everything that can be checked before the run, all of it at once.
pub(crate) async fn prepare(
    session: &Session,
    source: &Source,
    given: &Given,
) -> Result<Prepared, Problems> {
    let with_texts = |found: Vec<Diagnostic>| {
        Problems::from(found)
            .with_source(&source.name, &source.text)
            .with_workspace(&session.workspace)
    };
    let policies = policies::find(session, given.policy.as_deref())?;
    let parsed = parse_partly(source);
    let Some(pipeline) = parsed.pipeline else {
        return Err(with_texts(parsed.problems));
    };
    // What else is wrong is looked for all the same, so that everything is said at once.
    let mut wrong = parsed.problems;
    let (packages, unavailable) = find_plugins(session, &pipeline, &mut wrong);
    let infos: BTreeMap<_, _> = packages
        .iter()
        .map(|(uses, package)| (uses.clone(), info(package)))
        .collect();
    let run = run_id(&pipeline, given);
    let planned = plan_partly(
        &pipeline,
        PlanInputs {
            inputs: given.inputs.clone(),
            git: facts::git(&session.workspace),
            run: json!({ "id": run.as_str() }),
            env: environment(&pipeline),
            policies: &policies.policies,
            origin: facts::origin(|name| std::env::var(name).ok()),
            as_requested: given.as_requested,
            unavailable,
            ..PlanInputs::new(&infos)
        },
        wrong,
    );
    let with_policies = |found: Vec<Diagnostic>| {
        let problems = policies
            .sources
            .iter()
            .fold(Problems::from(found), |problems, (name, text)| {
                problems.with_source(name, text)
            });
        problems
            .with_source(&source.name, &source.text)
            .with_workspace(&session.workspace)
    };
    let Planned { plan, problems } = planned;
    let mut found = problems;
    let plan = if given.steps.is_empty() || !found.is_empty() {
        plan
    } else {
        plan.only(&given.steps).map_err(unknown_step)?
    };
    let used = packages
        .values()
        .filter(|package| plan.instances.iter().any(|step| step.uses == package.uses));
    let plugins = load(session, used).map_err(|error| with_texts(vec![error.diagnostic()]))?;
    found.extend(plan.warnings.iter().cloned());
    for (step, remark) in check(session, &plan, &plugins).await {
        let remark = placed(&pipeline, &step, remark);
        // The instances of a matrix say the same.
        if !found.contains(&remark) {
            found.push(remark);
        }
    }
    let remarks = with_policies(found);
    if remarks.has_errors() {
        return Err(remarks);
    }
    Ok(Prepared {
        plan,
        plugins,
        run,
        remarks,
    })
}

fn unknown_step(step: UnknownStep) -> Problems {
    let help = match step.nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("the steps are {}", step.known.join(", ")),
    };
    let message = format!("the pipeline has no step `{}`", step.asked);
    Problems::from(vec![
        Diagnostic::error("command.wrong", message).with_help(help),
    ])
}

/// The plugins that the pipeline uses, by the names that it has for them, and the names of those
/// that can't be had; why not goes to `wrong`.
fn find_plugins(
    session: &Session,
    pipeline: &Pipeline,
    wrong: &mut Vec<Diagnostic>,
) -> (BTreeMap<String, Package>, BTreeSet<String>) {
    let catalog = catalog(session);
    let (mut packages, mut unavailable) = (BTreeMap::new(), BTreeSet::new());
    for (uses, at) in pipeline.uses() {
        match catalog.find(uses) {
            Ok(package) => {
                packages.insert(uses.to_owned(), package);
            }
            Err(error) => {
                unavailable.insert(uses.to_owned());
                // A name that is none is said to be so already.
                if !wrong.iter().any(|found| found.at == Some(at)) {
                    wrong.push(error.diagnostic().at(pipeline.file(), at));
                }
            }
        }
    }
    (packages, unavailable)
}

fn info(package: &Package) -> PluginInfo {
    PluginInfo {
        manifest: package.component.manifest.clone(),
        digest: package.component.digest.clone(),
        built_in: package.is_built_in(),
        signer: None,
    }
}

/// The id that was asked for, else the CI's own, else a new one.
fn run_id(pipeline: &Pipeline, given: &Given) -> RunId {
    let mut inputs = Value::Object(given.inputs.clone());
    if !given.steps.is_empty() {
        // A part of a pipeline is another run of the same CI job.
        inputs = json!({ "inputs": inputs, "steps": given.steps });
    }
    given
        .run_id
        .clone()
        .or_else(|| RunId::from_ci(|name| std::env::var(name).ok(), pipeline.name(), &inputs))
        .unwrap_or_else(|| RunId::new_at(jiff::Timestamp::now()))
}

/// Only what the file lists: the rest of the environment is nobody's matter.
fn environment(pipeline: &Pipeline) -> Value {
    let listed = pipeline.env().map(|name| {
        let value = std::env::var(name).map_or(Value::Null, Value::String);
        (name.to_owned(), value)
    });
    Value::Object(listed.collect())
}

/// What the plugins themselves find, by reading the workspace, and for which step.
async fn check(
    session: &Session,
    plan: &Plan,
    plugins: &HashMap<String, Plugin>,
) -> Vec<(String, Diagnostic)> {
    // A check has no secrets: nothing has started that may use them.
    let none = indexmap::IndexMap::<String, SecretSource>::new();
    let equipment = match Equipment::new(session, &none, None, "check", false).await {
        Ok(equipment) => equipment,
        Err(failure) => return vec![(String::new(), as_diagnostic(&failure))],
    };
    let mut found = Vec::new();
    for instance in &plan.instances {
        let Some(plugin) = plugins.get(&instance.plugin_digest) else {
            continue;
        };
        let incarnation = Incarnation {
            context: StepContext {
                run: "check".to_owned(),
                instance: instance.id.clone(),
                attempt: 1,
                resumed: false,
                last_checkpoint: None,
                log_positions: std::collections::HashMap::new(),
                deadline: None,
                cancel: CancellationToken::new(),
                masks: equipment.masks.clone(),
                scopes: Arc::new(instance.scopes.clone()),
                sink: Arc::new(NoSink),
            },
            services: equipment.services.clone(),
            inputs: instance.known_inputs(),
            timeout: Some(std::time::Duration::from_secs(30)),
        };
        let remarks = match plugin.check(incarnation).await {
            Ok(remarks) => remarks,
            Err(failure) => vec![as_diagnostic(&failure)],
        };
        let remarks = remarks.into_iter();
        found.extend(remarks.map(|remark| (instance.step.clone(), remark)));
    }
    found
}

/// Gives a remark on a step's inputs the place of the input that it names, or of the step.
fn placed(pipeline: &Pipeline, step: &str, mut found: Diagnostic) -> Diagnostic {
    if found.file.is_none() {
        let mut named = found.message.split('`').skip(1).step_by(2);
        let at = named.find_map(|name| pipeline.input_place(step, name));
        found.at = at.or_else(|| pipeline.step_place(step));
        found.file = Some(pipeline.file().to_owned());
    }
    found
}

fn as_diagnostic(failure: &Failure) -> Diagnostic {
    let diagnostic = Diagnostic::error(failure.code.clone(), failure.message.clone());
    if failure.help.is_empty() {
        diagnostic
    } else {
        diagnostic.with_help(failure.help.join("\n"))
    }
}

/// A check says nothing but its diagnostics, and makes nothing.
struct NoSink;

#[async_trait]
impl StepSink for NoSink {
    fn event(&self, _: Event) {}

    async fn intent(&self, _: NewIntent) -> Result<IntentId, Failure> {
        Err(Failure::bug("a check made something outside"))
    }

    async fn done(&self, _: Done) -> Result<(), Failure> {
        Ok(())
    }

    async fn checkpoint(&self, _: Value) -> Result<(), Failure> {
        Ok(())
    }
}
