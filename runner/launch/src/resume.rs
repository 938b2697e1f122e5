//! Resumes a run with the plan that it was started with.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use sidestep_catalog::Package;
use sidestep_events::{Class, Failure, Owner, PluginRef, codes, commands};
use sidestep_host::Plugin;
use sidestep_pipeline::{AUDIT, Plan};
use sidestep_report::Problems;
use sidestep_state::RunFolder;

use crate::equipment::{catalog, load};
use crate::error::Error;
use crate::locked_run::{LockedRun, read_plan};
use crate::origin::Asked;
use crate::prepare::infos;
use crate::site::Site;
use crate::{facts, policies};

/// A run that can be resumed.
pub struct Resumed {
    /// The run, locked for this process.
    pub run: LockedRun,
    /// The run's plan, under the current policies.
    pub plan: Plan,
    /// The remarks of audit-only policies about the plan.
    pub remarks: Problems,
    packages: BTreeMap<PluginRef, Package>,
}

/// Locks a run, and checks that it was started as the user asks, and its plan against the current
/// policies.
pub fn resume(site: &Site, folder: &RunFolder, asked: Asked<'_>) -> Result<Resumed, Error> {
    let run = LockedRun::resume(folder)?;
    asked.check(&site.workspace, &run.header)?;
    let plan = read_plan(folder)?;
    let packages = packages(site, &plan, run.header.sandbox.as_deref())?;
    let (plan, remarks) = judged(site, asked.policy, plan, &packages)?;
    Ok(Resumed {
        run,
        plan,
        remarks,
        packages,
    })
}

impl Resumed {
    /// Compiles the run's plugins, or loads them from the cache of compiled code.
    pub fn plugins(&self, site: &Site) -> Result<HashMap<String, Plugin>, Error> {
        Ok(load(site, self.packages.values()).map_err(|error| error.failure())?)
    }
}

/// Returns the plugins that the plan names. Fails if the bytes of one have changed since the run
/// was started; `sandbox` is the scenario of the run.
fn packages(
    site: &Site,
    plan: &Plan,
    sandbox: Option<&str>,
) -> Result<BTreeMap<PluginRef, Package>, Error> {
    let catalog = catalog(site);
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
            return Err(changed(plan, &instance.uses, sandbox).into());
        }
    }
    Ok(packages)
}

/// Returns the plan under the current policies. A plan that they refuse is not resumed.
fn judged(
    site: &Site,
    policy: Option<&Path>,
    plan: Plan,
    packages: &BTreeMap<PluginRef, Package>,
) -> Result<(Plan, Problems), Error> {
    let policies = policies::find(site, policy)?;
    let origin = facts::origin(|name| site.environment.get(name));
    let plan = plan
        .judged(&infos(packages), &policies.policies, &origin)
        .map_err(Problems::from)?;
    let audited: Vec<_> = plan
        .warnings
        .iter()
        .filter(|warning| warning.code == AUDIT)
        .cloned()
        .collect();
    Ok((plan, Problems::from(audited)))
}

fn changed(plan: &Plan, uses: &PluginRef, sandbox: Option<&str>) -> Failure {
    let message = format!(
        "the plugin {} has changed since the run started",
        uses.as_str()
    );
    Failure::new(
        Class::Refused,
        codes::plugin::CHANGED,
        Owner::Author,
        message,
    )
    .with_help("Restore the former version of the plugin, or start a new run:")
    .with_helps(commands::run(plan.file.exact(), sandbox))
}
