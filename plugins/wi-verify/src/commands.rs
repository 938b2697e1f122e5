//! Builds the commands that repair a link, besides those of the contract. None is built of a value
//! that is not known.

use sidestep::Command;
use sidestep::google::{Account, Resource, is_number};

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

/// Switches uniform access on for a bucket.
pub(crate) fn make_uniform(bucket: &str) -> Option<Command> {
    Command::new(&["gcloud", "storage", "buckets", "update"])
        .joined(["gs://".into(), bucket.into()])
        .words(&["--uniform-bucket-level-access"])
        .build()
}

/// Creates a target; none of a project, which is not made on the way. `near` is where a bucket
/// should lie.
pub(crate) fn create(resource: &Resource, near: &Workload) -> Option<Command> {
    match resource {
        Resource::Objects { bucket, .. } => {
            Command::new(&["gcloud", "storage", "buckets", "create"])
                .joined(["gs://".into(), bucket.into()])
                .option("--project", &near.project)
                .option("--location", region(&near.location))
                .words(&["--uniform-bucket-level-access"])
                .build()
        }
        Resource::Repository(repository) => repository.create(),
        Resource::Secret { project, name } => Command::new(&["gcloud", "secrets", "create"])
            .value(name)
            .words(&["--replication-policy=automatic"])
            .option("--project", project)
            .build(),
        Resource::Project(_) => None,
    }
}

/// Returns the region of a zone (`europe-west1-b`), or the region itself.
fn region(location: &str) -> &str {
    match location.rsplit_once('-') {
        Some((region, zone)) if zone.len() == 1 => region,
        _ => location,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_lies_in_a_region() {
        assert_eq!(region("europe-west1-b"), "europe-west1");
        assert_eq!(region("europe-west1"), "europe-west1");
    }
}
