use std::collections::BTreeMap;

use sidestep_events::{Class, Exit, Failure, Owner, show};
use sidestep_pipeline::Plan;

use crate::cli::Resume;
use crate::cloud::Cloud;
use crate::commands::Session;
use crate::equipment::{catalog, load};
use crate::error::CommandError;
use crate::launch::{Launch, launch};
use crate::place::{Place, read_plan};

/// Goes on with a run, by the plan that it was begun with.
pub(crate) async fn run(session: &Session, args: &Resume) -> Result<Exit, CommandError> {
    let folder = session.open_run(&args.run)?;
    let place = Place::resume(&folder)?;
    let plan = read_plan(&folder)?;
    let catalog = catalog(session);
    let mut packages = BTreeMap::new();
    for instance in &plan.instances {
        if !packages.contains_key(&instance.uses) {
            let package = catalog
                .find(&instance.uses)
                .map_err(|error| error.failure())?;
            if package.component.digest != instance.plugin_digest {
                return Err(changed(&plan, &instance.uses).into());
            }
            packages.insert(instance.uses.clone(), package);
        }
    }
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

fn changed(plan: &Plan, uses: &str) -> Failure {
    let message = format!("{uses} is not the plugin any more that the run was begun with");
    Failure::new(Class::Refused, "plugin.changed", Owner::Author, message)
        .with_help("Bring the plugin's former bytes back, or start a new run:")
        .with_help(format!("sidestep run {}", show::shell_word(&plan.file)))
}
