//! Builds the commands of gcloud and kubectl that failures of capabilities name.

use sidestep_events::{Command, Value};

use crate::bindings::sidestep::identity::prove::Subject;

/// Signs a person in.
pub(crate) fn sign_in() -> Command {
    Command::fixed(&["gcloud", "auth", "application-default", "login"])
}

/// Enables an API in a project.
pub(crate) fn enable_api(service: &str, project: &str) -> Option<Command> {
    Command::new(&["gcloud", "services", "enable"])
        .value(service)
        .option("--project", project)
        .build()
}

/// Creates a Kubernetes service account.
pub(crate) fn create_kubernetes_account(namespace: &str, name: &str) -> Option<Command> {
    Command::new(&["kubectl", "create", "serviceaccount"])
        .value(name)
        .option("-n", namespace)
        .build()
}

/// Creates the Role for tokens of one Kubernetes service account.
pub(crate) fn let_request_tokens(namespace: &str, name: &str) -> Option<Command> {
    Command::new(&["kubectl", "create", "role", "token-requester"])
        .option("-n", namespace)
        .words(&["--verb=create", "--resource=serviceaccounts/token"])
        .joined(["--resource-name=".into(), name.into()])
        .build()
}

/// Creates a Google service account.
pub(crate) fn create_account(name: &str, project: &str) -> Option<Command> {
    Command::new(&["gcloud", "iam", "service-accounts", "create"])
        .value(name)
        .option("--project", project)
        .build()
}

/// Shows a Google service account, whose project may be unknown.
pub(crate) fn show_account(account: &str, project: Option<&str>) -> Option<Command> {
    let show = Command::new(&["gcloud", "iam", "service-accounts", "describe"]).value(account);
    match project {
        Some(project) => show.option("--project", project).build(),
        None => show.build(),
    }
}

/// Lets a workload act as a Google service account, whose project may be unknown.
pub(crate) fn let_impersonate(
    subject: &Subject,
    account: &str,
    project: Option<&str>,
) -> Option<Command> {
    let (pool, namespace) = (subject.pool.as_str(), subject.namespace.as_str());
    let member = Value::joined([
        "serviceAccount:",
        pool,
        "[",
        namespace,
        "/",
        &subject.service_account,
        "]",
    ]);
    let bind = Command::new(&["gcloud", "iam", "service-accounts"])
        .words(&["add-iam-policy-binding"])
        .value(account);
    match project {
        Some(project) => bind.option("--project", project),
        None => bind,
    }
    .words(&["--role", "roles/iam.workloadIdentityUser"])
    .option("--member", member)
    .words(&["--condition=None"])
    .build()
}

/// Shows the workload pool of a cluster that is named in full.
pub(crate) fn show_pool(cluster: &str) -> Option<Command> {
    let parts: Vec<&str> = cluster.split('/').collect();
    let ["projects", project, "locations", location, "clusters", name] = parts[..] else {
        return None;
    };
    Command::new(&["gcloud", "container", "clusters", "describe"])
        .value(name)
        .option("--location", location)
        .option("--project", project)
        .words(&["--format=value(workloadIdentityConfig.workloadPool)"])
        .build()
}
