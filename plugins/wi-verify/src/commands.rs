//! Builds the commands that repair a link, besides those of the contract. None is built of a value
//! that is not known.

use sidestep::Command;
use sidestep::google::{Account, is_number};

use crate::identity::Workload;

/// Lists the clusters of a project.
pub(crate) fn list_clusters(project: &str) -> Option<Command> {
    Command::new(&["gcloud", "container", "clusters", "list"])
        .option("--project", project)
        .build()
}

/// Brings a deleted project back.
pub(crate) fn undelete_project(id: &str) -> Option<Command> {
    Command::new(&["gcloud", "projects", "undelete"])
        .value(id)
        .build()
}

/// Lets APIs that want an address take the workload's own name.
pub(crate) fn return_principal_as_email(workload: &Workload) -> Option<Command> {
    Command::new(&["kubectl", "annotate", "serviceaccount"])
        .value(&workload.account)
        .option("-n", &workload.namespace)
        .words(&[
            "iam.gke.io/return-principal-id-as-email=true",
            "--overwrite",
        ])
        .build()
}

/// Applies a manifest.
pub(crate) fn apply(manifest: &sidestep::serde_json::Value) -> Option<Command> {
    let text = Command::new(&["printf", "%s"]).value(manifest.to_string());
    Command::new(&["kubectl", "apply", "-f", "-"])
        .reading(text.build())
        .build()
}

/// Shows a Google service account.
pub(crate) fn show_account(email: &str) -> Option<Command> {
    Account::read(email)?.describe()
}

/// Shows the policy of a Google service account.
pub(crate) fn show_account_policy(email: &str) -> Option<Command> {
    let account = Account::read(email)?;
    let command = Command::new(&["gcloud", "iam", "service-accounts", "get-iam-policy"]);
    let command = command.value(account.address());
    match account.project_id() {
        Some(project) => command.option("--project", project),
        None => command,
    }
    .build()
}

/// Shows the address of the account that has a unique id.
pub(crate) fn show_address(id: &str) -> Option<Command> {
    let show = Command::new(&["gcloud", "iam", "service-accounts", "describe"])
        .value(id)
        .words(&["--format=value(email)"]);
    is_number(id).then(|| show.build())?
}

/// Lists what the deny policies of a project forbid.
pub(crate) fn list_deny_policies(project: &str) -> Option<Command> {
    let point = "cloudresourcemanager.googleapis.com/projects/";
    Command::new(&["gcloud", "iam", "policies", "list", "--kind=denypolicies"])
        .words(&["--attachment-point"])
        .joined([point.into(), project.into()])
        .build()
}

/// Starts a command for a deny policy of a project, a folder or an organisation.
fn deny_policy(verb: &'static str, level: &str, id: &str) -> sidestep::Builder {
    let point = "--attachment-point=cloudresourcemanager.googleapis.com/";
    Command::new(&["gcloud", "iam", "policies"])
        .words(&[verb])
        .value(id)
        .joined([point.into(), level.into()])
        .words(&["--kind=denypolicies"])
}

/// Shows a deny policy.
pub(crate) fn show_deny_policy(level: &str, id: &str) -> Option<Command> {
    deny_policy("get", level, id).build()
}

/// Replaces a deny policy by this one.
pub(crate) fn update_deny_policy(
    level: &str,
    id: &str,
    policy: &sidestep::serde_json::Value,
) -> Option<Command> {
    let text = Command::new(&["printf", "%s"]).value(policy.to_string());
    deny_policy("update", level, id)
        .words(&["--policy-file=/dev/stdin"])
        .reading(text.build())
        .build()
}

/// Asks the Policy Troubleshooter why an account lacks a permission. It knows only people and service
/// accounts (<https://cloud.google.com/policy-intelligence/docs/troubleshoot-access>).
pub(crate) fn troubleshoot(resource: &str, email: &str, permission: &str) -> Option<Command> {
    let account = Account::read(email)?;
    Command::new(&["gcloud", "policy-troubleshoot", "iam"])
        .joined(["//".into(), resource.into()])
        .joined(["--principal-email=".into(), account.address().into()])
        .joined(["--permission=".into(), permission.into()])
        .build()
}
