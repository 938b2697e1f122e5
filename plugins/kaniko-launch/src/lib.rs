//! Builds an image in a pod and follows it to its digest.
//!
//! The pod's name is a function of run, step and attempt, so a new incarnation finds the build that
//! an earlier one began. The log does not pass through the plugin, which receives the pod's states
//! and events, and the log lines that may be kaniko's own error.

mod build;
mod build_args;
mod build_secrets;
mod check;
mod diagnosis;
mod digest;
mod dockerfile;
mod flags;
mod identity;
mod inputs;
mod layout;
mod logins;
mod outcome;
mod pod;
mod printed;
mod repair;
mod times;
mod work;

use inputs::{Inputs, Known, Outputs};
use sidestep::{Check, Diagnostic, Result, Step};

/// Builds an image with kaniko and pushes it.
#[sidestep::plugin(
    name = "kaniko-launch",
    requests(
        workspace = "[{'read': [inputs.path + '/' + inputs.dockerfile], 'linksWithin': inputs.path}] + (inputs.buildArgsFile == null ? [] : [{'read': [inputs.buildArgsFile]}])",
        kubernetes = "[{'cluster': inputs.cluster, 'namespace': inputs.namespace, 'resources': ['pods', 'pods/log', 'events'], 'actions': ['get', 'list', 'watch', 'create', 'delete'], 'serviceAccounts': [inputs.serviceAccount], 'images': [inputs.executor] + (inputs.helperImage == null || inputs.googleKey != null || cluster(inputs.cluster).project == null ? [] : [inputs.helperImage]), 'secrets': (inputs.googleKey == null ? [] : [inputs.googleKey.secret]) + (inputs.registrySecret == null ? [] : [inputs.registrySecret]), 'podFields': (inputs.priorityClass == null ? [] : ['priorityClassName']) + (inputs.runtimeClass == null ? [] : ['runtimeClassName'])}, {'cluster': inputs.cluster, 'namespace': inputs.namespace, 'resources': ['serviceaccounts'], 'actions': ['get']}] + (inputs.registrySecret == null ? [] : [{'cluster': inputs.cluster, 'namespace': inputs.namespace, 'resources': ['secrets'], 'actions': ['registryLogins'], 'secrets': [inputs.registrySecret]}])",
        registry = "inputs.destinations.map(d, {'repository': image(d).repository, 'actions': ['manifest']})",
        secrets = "(inputs.registryLogin == null ? [] : [{'names': [inputs.registryLogin.secret]}]) + inputs.buildSecrets.map(id, {'names': [inputs.buildSecrets[id]]})",
        gke = "cluster(inputs.cluster).project != null && (inputs.googleKey != null || !('iam.gke.io/gke-metadata-server-enabled' in inputs.nodeSelector && inputs.nodeSelector['iam.gke.io/gke-metadata-server-enabled'] == 'true')) ? [{'cluster': inputs.cluster, 'actions': ['get', 'listNodePools']}] : []"
    ),
    check = check
)]
fn run(step: &Step, mut inputs: Inputs) -> Result<Outputs> {
    check::late(&inputs)?;
    build_args::add(&mut inputs)?;
    if let Some(warning) = layout::warning(&inputs.context) {
        step.annotate(warning);
    }
    build::run(step, &inputs)
}

fn check(_: &Check, inputs: Known) -> Vec<Diagnostic> {
    check::check(&inputs)
}

#[cfg(test)]
mod tests;
