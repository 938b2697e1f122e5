//! Prepares a pipeline file to run: parses it, finds the plugins, plans, and lets each plugin
//! check. `validate`, `plan`, `run` and `exec` all use this path.

mod check;
mod contexts;
mod copied_links;
mod links;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use sidestep_catalog::Package;
use sidestep_events::{Diagnostic, PluginRef, codes};
use sidestep_host::Plugin;
use sidestep_pipeline::{
    Pipeline, Plan, PlanInputs, Planned, PluginInfo, Source, UnknownStep, parse_partly, plan_partly,
};
use sidestep_report::Problems;
use sidestep_state::RunId;

use crate::equipment::{catalog, load};
use crate::error::Error;
use crate::site::Site;
use crate::{facts, policies};

use check::check;
use links::WorkspaceLinks;

/// The user's parameters besides the file.
#[derive(Debug, Default)]
pub struct Given {
    /// The values of inputs.
    pub inputs: Map<String, Value>,
    /// An additional policy that limits the run.
    pub policy: Option<PathBuf>,
    /// The requested run id.
    pub run_id: Option<RunId>,
    /// The selected steps, which also run what they need; all steps if empty.
    pub steps: Vec<String>,
    /// Whether to plan as if each plugin were granted all its requests. Only for display.
    pub as_requested: bool,
}

/// A pipeline that is ready to run.
pub struct Prepared {
    /// The plan to run.
    pub plan: Plan,
    /// The plan's plugins, by digest.
    pub plugins: HashMap<String, Plugin>,
    /// The run's id.
    pub run: RunId,
    /// Warnings and notes, none of which prevents a start.
    pub remarks: Problems,
}

/// Checks everything that can be checked before the run, and returns all problems at once.
pub async fn prepare(site: &Site, source: &Source, given: &Given) -> Result<Prepared, Error> {
    let with_texts =
        |found: Vec<Diagnostic>| Problems::from(found).with_source(&source.name, &source.text);
    let policies = policies::find(site, given.policy.as_deref())?;
    let parsed = parse_partly(source, &*site.evaluator);
    let Some(pipeline) = parsed.pipeline else {
        return Err(with_texts(parsed.problems).into());
    };
    // Continue after errors, so that all problems are reported at once.
    let mut wrong = parsed.problems;
    let (packages, unavailable) = find_plugins(site, &pipeline, &mut wrong);
    let infos = infos(&packages);
    let name = run_name(site, &pipeline, given);
    // An unfinished run with this name is resumed if its plan is the same, so the plan must depend
    // on the commit.
    let named = name.is_some();
    let run = name.unwrap_or_else(|| RunId::new_at(jiff::Timestamp::now()));
    let links = WorkspaceLinks::of(&site.workspace);
    let planned = plan_partly(
        &pipeline,
        PlanInputs {
            inputs: given.inputs.clone(),
            git: facts::git(&site.workspace, |part| {
                pipeline.reads("git", part) || (named && part == "commit")
            }),
            run: json!({ "id": run.as_str() }),
            env: environment(site, &pipeline),
            policies: &policies.policies,
            origin: facts::origin(|name| site.environment.get(name)),
            helper_image: site.helper_image.clone(),
            as_requested: given.as_requested,
            unavailable,
            links: &links,
            ..PlanInputs::new(&infos, &site.evaluator)
        },
        wrong,
    );
    let Planned { plan, problems } = planned;
    let plan = if given.steps.is_empty() || !problems.is_empty() {
        plan
    } else {
        plan.only(&*site.evaluator, &given.steps)
            .map_err(unknown_step)?
    };
    let used = packages
        .values()
        .filter(|package| plan.instances.iter().any(|step| step.uses == package.uses));
    let loaded = load(site, used);
    let mut remarks = with_texts(problems);
    // A plugin that can't be loaded must not hide the errors of the file.
    let plugins = loaded.unwrap_or_else(|error| {
        remarks.extend([error.diagnostic()]);
        HashMap::new()
    });
    for (name, text) in &policies.sources {
        remarks = remarks.with_source(name, text);
    }
    remarks.extend(plan.warnings.iter().cloned());
    check(site, &pipeline, &plan, &plugins, &mut remarks).await;
    contexts::check(site, &pipeline, &plan, &mut remarks);
    remarks.sort_by_place(&source.name);
    if remarks.has_errors() {
        return Err(remarks.into());
    }
    plan.check_names()?;
    tracing::debug!(
        file = source.name,
        run = %run,
        plan = plan.digest(),
        steps = plan.instances.len(),
        "a plan is ready"
    );
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
        Diagnostic::error(codes::command::WRONG, message).with_help(help),
    ])
}

/// Returns the plugins that the pipeline uses, and those that are unavailable. The reasons are
/// added to `wrong`.
fn find_plugins(
    site: &Site,
    pipeline: &Pipeline,
    wrong: &mut Vec<Diagnostic>,
) -> (BTreeMap<PluginRef, Package>, BTreeSet<PluginRef>) {
    let catalog = catalog(site);
    let (mut packages, mut unavailable) = (BTreeMap::new(), BTreeSet::new());
    for (uses, at) in pipeline.uses() {
        match catalog.find(uses) {
            Ok(package) => {
                packages.insert(uses.clone(), package);
            }
            Err(error) => {
                unavailable.insert(uses.clone());
                wrong.push(error.diagnostic().at(pipeline.file(), at));
            }
        }
    }
    (packages, unavailable)
}

/// Returns the facts about each plugin that planning needs.
pub(crate) fn infos(packages: &BTreeMap<PluginRef, Package>) -> BTreeMap<PluginRef, PluginInfo> {
    let info = |package: &Package| PluginInfo {
        manifest: Arc::clone(&package.component.manifest),
        digest: package.component.digest.clone(),
        signer: None,
    };
    packages
        .iter()
        .map(|(uses, package)| (uses.clone(), info(package)))
        .collect()
}

/// Returns the requested id, or the one derived from the CI job; `None` if there is neither.
fn run_name(site: &Site, pipeline: &Pipeline, given: &Given) -> Option<RunId> {
    let mut inputs = Value::Object(given.inputs.clone());
    if !given.steps.is_empty() {
        // Different parts of a pipeline are different runs of the same CI job.
        inputs = json!({ "inputs": inputs, "steps": given.steps });
    }
    given
        .run_id
        .clone()
        .or_else(|| RunId::from_ci(|name| site.environment.get(name), pipeline.name(), &inputs))
}

/// Returns the variables that the file lists. The run must not see any others.
fn environment(site: &Site, pipeline: &Pipeline) -> Value {
    let listed = pipeline.env().map(|name| {
        let value = site
            .environment
            .of_pipeline(name)
            .map_or(Value::Null, Value::String);
        (name.to_owned(), value)
    });
    Value::Object(listed.collect())
}
