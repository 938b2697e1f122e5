//! Finds the first broken link of a workload's identity, and the command that repairs it.
//!
//! Judgement is pure: each link's module turns facts into a verdict, and is tested so. `reads` asks
//! the host, `diagnosis` goes from link to link, and `proving` tries what the workload itself can
//! do, which has the last word where policies could not be read.

mod account;
mod annotation;
mod binding;
mod caller;
mod check;
mod cluster;
mod commands;
mod deny;
mod diagnosis;
mod form;
mod google_account;
mod held;
mod identity;
mod inherited;
mod inputs;
mod near_miss;
mod network;
mod nodes;
mod outputs;
mod overriding;
mod permissions;
mod pods;
mod project;
mod proof;
mod proving;
mod reads;
mod report;
mod repositories;
mod roles;
mod settling;
mod targets;
mod uniform;
mod verdict;

use inputs::Inputs;
use outputs::Outputs;
use sidestep::{Check, Diagnostic, Result, Step};

/// Finds the first broken link of a workload's identity, and the command that repairs it.
#[sidestep::plugin(
    name = "wi-verify",
    requests(
        project = "[{'project': [project(inputs.cluster)] + (inputs.image == null ? [] : [project(inputs.image)]) + inputs.targets.map(t, default(has(t.image) ? t.image : null, has(t.repository) ? t.repository : null) != null, project(default(has(t.image) ? t.image : null, has(t.repository) ? t.repository : null))) + inputs.targets.map(t, has(t.secret) && t.secret != null, project(t.secret)) + inputs.targets.map(t, has(t.project) && t.project != null, t.project), 'actions': ['get', 'services']}]",
        gke = "[{'cluster': inputs.cluster, 'actions': ['get', 'listNodePools']}]",
        kubernetes = "[{'cluster': inputs.cluster, 'namespace': inputs.namespace, 'resources': ['serviceaccounts', 'pods', 'networkpolicies.networking.k8s.io'], 'actions': ['get', 'list']}]",
        iam = "[{'project': [project(inputs.cluster)] + (inputs.googleServiceAccount == null ? [] : [project(inputs.googleServiceAccount)]) + (inputs.image == null ? [] : [project(inputs.image)]) + inputs.targets.map(t, default(has(t.image) ? t.image : null, has(t.repository) ? t.repository : null) != null, project(default(has(t.image) ? t.image : null, has(t.repository) ? t.repository : null))), 'actions': ['get', 'getPolicy']}, {'project': project(inputs.cluster), 'actions': ['list']}] + (inputs.caller == null ? [] : [{'project': [project(inputs.caller.provider)] + (has(inputs.caller.serviceAccount) && inputs.caller.serviceAccount != null ? [project(inputs.caller.serviceAccount)] : []), 'actions': ['get', 'getPolicy']}]) + (inputs.bucket == null ? [] : [{'resource': 'buckets/' + inputs.bucket, 'actions': ['getPolicy']}]) + (inputs.image == null ? [] : [{'resource': repository(inputs.image), 'actions': ['getPolicy']}]) + inputs.targets.map(t, has(t.bucket) && t.bucket != null, {'resource': 'buckets/' + t.bucket, 'actions': ['getPolicy']}) + inputs.targets.map(t, default(has(t.image) ? t.image : null, has(t.repository) ? t.repository : null) != null, {'resource': repository(default(has(t.image) ? t.image : null, has(t.repository) ? t.repository : null)), 'actions': ['getPolicy']}) + inputs.targets.map(t, has(t.secret) && t.secret != null, {'resource': t.secret, 'actions': ['getPolicy']})",
        artifactRegistry = "(inputs.image == null ? [] : [{'repository': repository(inputs.image), 'actions': ['get']}]) + inputs.targets.map(t, default(has(t.image) ? t.image : null, has(t.repository) ? t.repository : null) != null, {'repository': repository(default(has(t.image) ? t.image : null, has(t.repository) ? t.repository : null)), 'actions': ['get']})",
        storage = "(inputs.bucket == null ? [] : [{'bucket': inputs.bucket, 'actions': ['getBucket']}]) + inputs.targets.map(t, has(t.bucket) && t.bucket != null, {'bucket': t.bucket, 'actions': ['getBucket']})",
        identity = "[{'cluster': inputs.cluster, 'namespace': inputs.namespace, 'serviceAccounts': [inputs.serviceAccount]}]"
    ),
    check = check
)]
fn run(step: &Step, inputs: Inputs) -> Result<Outputs> {
    diagnosis::run(step, &inputs)
}

fn check(_: &Check, inputs: Inputs) -> Vec<Diagnostic> {
    check::check(&inputs)
}
