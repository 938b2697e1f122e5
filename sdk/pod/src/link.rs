//! The Google account that a pod's service account is linked to.

use sidestep::{Command, Value};

/// Returns a command's output as the Google account that a Kubernetes service account is linked to,
/// for a link that was not read.
pub fn linked_account(namespace: &str, service_account: &str) -> Value {
    Command::new(&["kubectl", "get", "serviceaccount"])
        .value(service_account)
        .option("-n", namespace)
        .words(&[
            "-o",
            r"jsonpath={.metadata.annotations.iam\.gke\.io/gcp-service-account}",
        ])
        .build()
        .and_then(Command::output)
        .into()
}
