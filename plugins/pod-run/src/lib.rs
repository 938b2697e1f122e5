//! Runs a command or a script in a pod, with any image.
//!
//! The supervision of the pod is that of `sidestep-pod`, as in kaniko-launch. The command's outputs
//! come back by the container's termination message, and its secrets reach it by a Secret that the
//! pod owns; no log line is read for either.

mod check;
mod command;
mod inputs;
mod outcome;
mod outputs;
mod pod;
mod run;
mod secrets;
mod sidecars;
mod work;

use inputs::{Inputs, Known, Outputs};
use sidestep::{Check, Diagnostic, Result, Step};

/// Runs a command or a script in a pod, with any image.
#[sidestep::plugin(
    name = "pod-run",
    requests(
        kubernetes = "[{'cluster': inputs.cluster, 'namespace': inputs.namespace, 'resources': ['pods', 'pods/log', 'events'], 'actions': ['get', 'list', 'watch', 'create', 'delete'], 'serviceAccounts': [inputs.serviceAccount], 'images': [inputs.image] + inputs.sidecars.map(one, one.image) + (inputs.helperImage != null && (inputs.contextFolder != null || 'iam.gke.io/gke-metadata-server-enabled' in inputs.nodeSelector && inputs.nodeSelector['iam.gke.io/gke-metadata-server-enabled'] == 'true') ? [inputs.helperImage] : []), 'secrets': inputs.imagePullSecrets, 'podFields': (inputs.capabilities != null && has(inputs.capabilities.add) && inputs.capabilities.add.exists(one, !(one in ['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'])) ? ['capabilities'] : []) + (inputs.seccompProfile == 'Unconfined' ? ['seccompUnconfined'] : []) + (inputs.priorityClass == null ? [] : ['priorityClassName']) + (inputs.runtimeClass == null ? [] : ['runtimeClassName'])}]",
        secrets = "inputs.secretEnv"
    ),
    check = check
)]
fn run(step: &Step, inputs: Inputs) -> Result<Outputs> {
    check::late(&inputs)?;
    run::run(step, &inputs)
}

fn check(_: &Check, inputs: Known) -> Vec<Diagnostic> {
    check::check(&inputs)
}
