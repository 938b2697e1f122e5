//! Makes the link between a workload and its permissions, from a plan that it shows first.
//!
//! The plan is pure: `plan` compares what `wanted` takes from the inputs with what `present` has
//! read. `apply` makes its changes, and the modules of `format` print them for people who don't let
//! a tool make changes.

mod apply;
mod check;
mod format;
mod identity;
mod inputs;
mod mark;
mod outputs;
mod plan;
mod policy;
mod present;
mod refusal;
mod removal;
mod run;
mod show;
mod wanted;

use inputs::Inputs;
use outputs::Outputs;
use sidestep::{Check, Diagnostic, Result, Step};

/// Makes the link between a workload and its permissions, from a plan that it shows first.
#[sidestep::plugin(
    name = "wi-setup",
    requests(
        project = "inputs.googleServiceAccount != null ? [] : [{'project': [project(inputs.cluster)], 'actions': ['get']}]",
        gke = "[{'cluster': inputs.cluster, 'actions': ['get', 'listNodePools']}]",
        kubernetes = "[{'cluster': inputs.cluster, 'namespace': inputs.namespace, 'resources': ['serviceaccounts'], 'actions': ['get', 'list'] + (inputs.apply ? ['apply'] : []) + (inputs.apply && inputs.remove ? ['delete'] : [])}] + (inputs.remove ? [{'cluster': inputs.cluster, 'namespace': inputs.namespace, 'resources': ['pods'], 'actions': ['list']}] : [])",
        iam = "(inputs.googleServiceAccount == null ? [] : [{'project': project(inputs.googleServiceAccount), 'actions': ['get', 'getPolicy']}]) + (([{'bucket': inputs.bucket}, {'image': inputs.image}] + inputs.targets).map(t, has(t.bucket) && t.bucket != null, 'buckets/' + t.bucket) + ([{'bucket': inputs.bucket}, {'image': inputs.image}] + inputs.targets).map(t, default(has(t.image) ? t.image : null, has(t.repository) ? t.repository : null) != null, repository(default(has(t.image) ? t.image : null, has(t.repository) ? t.repository : null))) + ([{'bucket': inputs.bucket}, {'image': inputs.image}] + inputs.targets).map(t, has(t.secret) && t.secret != null, t.secret)).map(r, {'resource': r, 'actions': ['getPolicy']})",
        iamWrite = "!inputs.apply ? [] : (inputs.googleServiceAccount == null ? [] : [{'resource': 'projects/' + project(inputs.googleServiceAccount) + '/serviceAccounts/' + inputs.googleServiceAccount, 'roles': ['roles/iam.workloadIdentityUser'], 'members': ['serviceAccount:*[' + inputs.namespace + '/' + inputs.serviceAccount + ']']}]) + (([{'bucket': inputs.bucket}, {'image': inputs.image}] + inputs.targets).map(t, has(t.bucket) && t.bucket != null, ['buckets/' + t.bucket, has(t.role) && t.role != null ? t.role : 'roles/storage.objectViewer']) + ([{'bucket': inputs.bucket}, {'image': inputs.image}] + inputs.targets).map(t, default(has(t.image) ? t.image : null, has(t.repository) ? t.repository : null) != null, [repository(default(has(t.image) ? t.image : null, has(t.repository) ? t.repository : null)), has(t.role) && t.role != null ? t.role : 'roles/artifactregistry.writer']) + ([{'bucket': inputs.bucket}, {'image': inputs.image}] + inputs.targets).map(t, has(t.secret) && t.secret != null, [t.secret, has(t.role) && t.role != null ? t.role : 'roles/secretmanager.secretAccessor'])).map(r, {'resource': r[0], 'roles': [r[1]], 'members': [inputs.googleServiceAccount == null ? 'principal://iam.googleapis.com/projects/*/locations/global/workloadIdentityPools/*/subject/ns/' + inputs.namespace + '/sa/' + inputs.serviceAccount : 'serviceAccount:' + inputs.googleServiceAccount]})",
        storage = "inputs.googleServiceAccount != null ? [] : ([{'bucket': inputs.bucket}, {'image': inputs.image}] + inputs.targets).map(t, has(t.bucket) && t.bucket != null, {'bucket': t.bucket, 'actions': ['getBucket']})"
    ),
    check = check
)]
fn run(step: &Step, inputs: Inputs) -> Result<Outputs> {
    run::run(step, &inputs).map_err(refusal::named)
}

fn check(_: &Check, inputs: Inputs) -> Vec<Diagnostic> {
    check::check(&inputs)
}
