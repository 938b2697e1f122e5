//! Finds keys of Google service accounts, and workloads that use the account of their node, and plans
//! the way to Workload Identity.
//!
//! The rules are pure: `gather` asks the host for objects and for the keys in them, `rules` turns
//! them into findings, and `show` and `sarif` print these. No function here gets a byte of a key.

mod check;
mod gather;
mod inputs;
mod migration;
mod objects;
mod outputs;
mod rules;
mod run;
mod sarif;
mod show;
#[cfg(test)]
mod tests;
mod workload;

use inputs::Inputs;
use outputs::Outputs;
use sidestep::{Check, Diagnostic, Result, Step};

/// Finds keys of Google service accounts in manifests, clusters and files, and plans their end.
#[sidestep::plugin(
    name = "key-audit",
    requests(
        workspace = "inputs.manifests + inputs.files == [] ? [] : [{'read': inputs.manifests + inputs.files, 'actions': ['keyFacts']}]",
        kubernetes = "inputs.cluster == null || inputs.namespaces == [] ? [] : [{'cluster': inputs.cluster, 'namespace': inputs.namespaces, 'resources': ['secrets', 'serviceaccounts', 'pods', 'deployments.apps', 'statefulsets.apps', 'daemonsets.apps', 'replicasets.apps', 'jobs.batch', 'cronjobs.batch'], 'actions': ['list', 'keyFacts']}]"
    ),
    check = check
)]
fn run(step: &Step, inputs: Inputs) -> Result<Outputs> {
    run::run(step, &inputs)
}

fn check(_: &Check, inputs: Inputs) -> Vec<Diagnostic> {
    check::check(&inputs)
}
