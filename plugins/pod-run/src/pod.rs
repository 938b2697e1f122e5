//! The pod that runs the command.

use std::time::Duration;

use sidestep::serde_json::{Value, json};
use sidestep_pod::{
    Context, GRACE, LAST_WORDS, Placement, Volume, deadline, fetch_context, mount, resources,
    wait_for_identity,
};

use crate::command::command;
use crate::inputs::{Inputs, SeccompProfile};
use crate::{secrets, sidecars};

/// The container's name, under which its log is kept.
pub(crate) const CONTAINER: &str = "main";
/// The variable with the path of the file for outputs.
pub(crate) const OUTPUTS: &str = "SIDESTEP_OUTPUTS";

/// The volume with the context's files.
const CONTEXT: &str = "sidestep-context";

/// Returns the pod's object. `secret` is the name of the Secret that it will own; `remaining` is the
/// rest of the step's time.
pub(crate) fn pod(name: &str, secret: &str, inputs: &Inputs, remaining: Option<Duration>) -> Value {
    let mut env = sidecars::env(&inputs.env);
    env.push(json!({ "name": OUTPUTS, "value": LAST_WORDS }));
    let mut container = json!({
        "name": CONTAINER,
        "image": inputs.image.as_str(),
        "env": env,
        "terminationMessagePath": LAST_WORDS,
        "terminationMessagePolicy": "File",
        "resources": resources(inputs.resources()),
        "securityContext": security(inputs),
    });
    let (own, args) = command(inputs);
    for (field, words) in [("command", own), ("args", args)] {
        if !words.is_empty() {
            container[field] = words.into();
        }
    }
    if let Some(folder) = inputs
        .working_dir
        .as_ref()
        .or(inputs.context_folder.as_ref())
    {
        container["workingDir"] = folder.as_str().into();
    }
    let mut spec = json!({
        "serviceAccountName": inputs.service_account,
        "restartPolicy": "Never",
        // Whatever becomes of the runner, the cluster ends the command.
        "activeDeadlineSeconds": deadline(remaining),
        "terminationGracePeriodSeconds": GRACE.as_secs(),
        "automountServiceAccountToken": inputs.kubernetes_token,
        "nodeSelector": inputs.node_selector,
        "containers": [container],
    });
    let init: Vec<Value> = helpers(inputs)
        .into_iter()
        .chain(sidecars::containers(&inputs.sidecars))
        .collect();
    if !init.is_empty() {
        spec["initContainers"] = init.into();
    }
    if !inputs.image_pull_secrets.is_empty() {
        let names = inputs.image_pull_secrets.iter();
        let names: Vec<Value> = names.map(|name| json!({ "name": name })).collect();
        spec["imagePullSecrets"] = names.into();
    }
    if let Some((_, folder)) = context(inputs) {
        let volume = Volume {
            name: CONTEXT,
            source: ("emptyDir", json!({})),
            folder,
            read_only: false,
        };
        mount(&mut spec, volume);
    }
    secrets::refer(&mut spec, secret, inputs);
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": inputs.namespace,
            "labels": { "app.kubernetes.io/name": "pod-run" },
        },
        "spec": spec,
    });
    placement(inputs).place(&mut pod);
    pod
}

/// Returns the address of the context and the folder for its files.
fn context(inputs: &Inputs) -> Option<(&str, &str)> {
    inputs
        .context
        .as_deref()
        .zip(inputs.context_folder.as_deref())
}

/// Returns the containers of the helper image, which run before the sidecars.
fn helpers(inputs: &Inputs) -> Vec<Value> {
    let Some(helper) = &inputs.helper_image else {
        return Vec::new();
    };
    let mut containers = Vec::new();
    if inputs.work().only_served_nodes() {
        containers.push(wait_for_identity(helper, inputs.resources()));
    }
    if let Some((uri, folder)) = context(inputs) {
        let context = Context {
            uri,
            digest: inputs.context_digest.as_deref(),
            limit: inputs.context_limit,
            volume: CONTEXT,
            folder,
            user: inputs.user,
            group: inputs.group,
        };
        containers.push(fetch_context(helper, &context, inputs.resources()));
    }
    containers
}

fn placement(inputs: &Inputs) -> Placement<'_> {
    Placement {
        labels: &inputs.pod_labels,
        annotations: &inputs.pod_annotations,
        queue: inputs.queue.as_deref(),
        tolerations: &inputs.tolerations,
        affinity: inputs.affinity.as_ref(),
        priority_class: inputs.priority_class.as_deref(),
        runtime_class: inputs.runtime_class.as_deref(),
    }
}

/// Returns the container's security context.
fn security(inputs: &Inputs) -> Value {
    let profile: SeccompProfile = inputs.seccomp_profile;
    let mut security = json!({ "seccompProfile": { "type": profile.name() } });
    let mut escalates = false;
    if let Some(capabilities) = &inputs.capabilities {
        for (list, names) in [("add", &capabilities.add), ("drop", &capabilities.drop)] {
            if !names.is_empty() {
                security["capabilities"][list] = names.clone().into();
            }
        }
        escalates = capabilities.add.iter().any(|name| name == "SYS_ADMIN");
    }
    // Kubernetes refuses the combination with SYS_ADMIN (Pod API, `allowPrivilegeEscalation`).
    if !escalates {
        security["allowPrivilegeEscalation"] = false.into();
    }
    for (field, id) in [("runAsUser", inputs.user), ("runAsGroup", inputs.group)] {
        if let Some(id) = id {
            security[field] = id.into();
        }
    }
    security
}

#[cfg(test)]
mod tests;
