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
