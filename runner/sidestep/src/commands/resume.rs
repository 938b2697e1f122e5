use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use sidestep_catalog::Package;
use sidestep_events::{Class, Exit, Failure, Owner, PluginRef, commands};
use sidestep_pipeline::{AUDIT, Plan};
use sidestep_report::Problems;

use crate::cli::Resume;
use crate::cloud::Cloud;
use crate::commands::Session;
use crate::environment;
use crate::equipment::{catalog, load};
use crate::error::CommandError;
use crate::launch::{Launch, launch};
use crate::output::{Look, note};
use crate::place::{Place, read_plan};
use crate::prepare::infos;
use crate::{facts, policies};

/// Goes on with a run, by the plan that it was begun with.
pub(crate) async fn run(session: &Session, args: &Resume) -> Result<Exit, CommandError> {
    let folder = session.open_run(&args.run)?;
    let place = Place::resume(&folder)?;
    let plan = read_plan(&folder)?;
    let packages = packages(session, &plan)?;
    let plan = judged(session, args, plan, &packages)?;
    let plugins = load(session, packages.values()).map_err(|error| error.failure())?;
    let caller = args.flags.caller.as_ref().or(place.header.caller.as_ref());
    let to_run = Launch {
        cloud: Cloud::of(session, place.header.sandbox.as_deref())
            .await?
            .called_as(session, caller.map(String::as_str))?,
        plan,
        plugins,
        format: args.flags.output.output,
        hints: Vec::new(),
    };
    launch(session, to_run, place, &args.flags).await
}

/// The plugins that the plan names; all still have the bytes that the run was begun with.
fn packages(session: &Session, plan: &Plan) -> Result<BTreeMap<PluginRef, Package>, CommandError> {
    let catalog = catalog(session);
    let mut packages = BTreeMap::new();
    for instance in &plan.instances {
        let package = match packages.entry(instance.uses.clone()) {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(place) => {
                let found = catalog.find(place.key()).map_err(|error| error.failure())?;
                place.insert(found)
            }
        };
        if package.component.digest != instance.plugin_digest {
            return Err(changed(plan, &instance.uses).into());
        }
    }
    Ok(packages)
}

/// The plan under today's policies: what they refuse today is not gone on with.
fn judged(
    session: &Session,
    args: &Resume,
    plan: Plan,
    packages: &BTreeMap<PluginRef, Package>,
) -> Result<Plan, CommandError> {
    let policies = policies::find(session, args.policy.as_deref())?;
    let origin = facts::origin(environment::get);
    let plan = plan
        .judged(&infos(packages), &policies.policies, &origin)
        .map_err(Problems::from)?;
    let audited: Vec<_> = plan
        .warnings
        .iter()
        .filter(|warning| warning.code == AUDIT)
        .cloned()
        .collect();
    if !audited.is_empty() && !session.global.quiet {
        let color = Look::stderr(session.settings.color.value).color;
        note(Problems::from(audited).render(color).trim_end());
    }
    Ok(plan)
}

fn changed(plan: &Plan, uses: &PluginRef) -> Failure {
    let message = format!(
        "the plugin {} has changed since the run began",
        uses.as_str()
    );
    Failure::new(Class::Refused, "plugin.changed", Owner::Author, message)
        .with_help("Bring the plugin's former bytes back, or start a new run:")
        .with_helps(commands::run(plan.file.exact(), None))
}
