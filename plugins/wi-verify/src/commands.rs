//! Builds the commands that repair a link. None is built of a value that is not known.

use sidestep::{Command, Value};

use crate::annotation::ANNOTATION;
use crate::identity::{Workload, project_of};
use crate::targets::Place;

/// The role that lets a workload act as a Google service account.
pub(crate) const USER: &str = "roles/iam.workloadIdentityUser";

/// Lists the clusters of a project.
pub(crate) fn list_clusters(project: &str) -> Option<Command> {
    Command::new(&["gcloud", "container", "clusters", "list"])
        .option("--project", project)
        .build()
}

/// Turns Workload Identity on.
pub(crate) fn make_pool(workload: &Workload) -> Option<Command> {
    let project = workload.project.as_str();
    Command::new(&["gcloud", "container", "clusters", "update"])
        .value(&workload.cluster)
        .option("--location", &workload.location)
        .option("--project", project)
        .joined([
            "--workload-pool=".into(),
            project.into(),
            ".svc.id.goog".into(),
        ])
        .build()
}

/// Lets the nodes of a pool serve workload identities.
pub(crate) fn serve_identities(workload: &Workload, pool: &str) -> Option<Command> {
    Command::new(&["gcloud", "container", "node-pools", "update"])
        .value(pool)
        .option("--cluster", &workload.cluster)
        .option("--location", &workload.location)
        .option("--project", &workload.project)
        .words(&["--workload-metadata=GKE_METADATA"])
        .build()
}

/// Brings a deleted project back.
pub(crate) fn undelete_project(id: &str) -> Option<Command> {
    Command::new(&["gcloud", "projects", "undelete"])
        .value(id)
        .build()
}

/// Enables APIs in a project.
pub(crate) fn enable_apis(names: &[&str], project: &str) -> Option<Command> {
    let enable = Command::new(&["gcloud", "services", "enable"]);
    names
        .iter()
        .fold(enable, |enable, name| enable.value(*name))
        .option("--project", project)
        .build()
}

/// Creates a namespace.
pub(crate) fn create_namespace(workload: &Workload) -> Option<Command> {
    Command::new(&["kubectl", "create", "namespace"])
        .value(&workload.namespace)
        .build()
}

/// Creates the Kubernetes service account.
pub(crate) fn create_kubernetes_account(workload: &Workload) -> Option<Command> {
    Command::new(&["kubectl", "create", "serviceaccount"])
        .value(&workload.account)
        .option("-n", &workload.namespace)
        .build()
}

/// Annotates the Kubernetes service account with a Google one, or takes the annotation away.
pub(crate) fn annotate(workload: &Workload, email: Option<&str>) -> Option<Command> {
    let annotate = Command::new(&["kubectl", "annotate", "serviceaccount"])
        .value(&workload.account)
        .option("-n", &workload.namespace);
    match email {
        Some(email) => annotate
            .joined([ANNOTATION.into(), "=".into(), email.into()])
            .words(&["--overwrite"]),
        None => annotate.joined([ANNOTATION.into(), "-".into()]),
    }
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

/// Lets the caller create tokens of the workload, and of no other one: the Role, and its binding
/// where it is known who calls.
pub(crate) fn let_create_tokens(workload: &Workload, caller: Option<&str>) -> Vec<Command> {
    let role = Command::new(&["kubectl", "create", "role", "sidestep-verify"])
        .words(&["--verb=create", "--resource=serviceaccounts/token"])
        .joined(["--resource-name=".into(), Value::from(&workload.account)])
        .option("-n", &workload.namespace);
    let binding = Command::new(&["kubectl", "create", "rolebinding", "sidestep-verify"])
        .words(&["--role=sidestep-verify"])
        .option("--user", caller)
        .option("-n", &workload.namespace);
    [role.build(), binding.build()]
        .into_iter()
        .flatten()
        .collect()
}

/// Applies a manifest.
pub(crate) fn apply(manifest: &sidestep::serde_json::Value) -> Option<Command> {
    let text = Command::new(&["printf", "%s"]).value(manifest.to_string());
    Command::new(&["kubectl", "apply", "-f", "-"])
        .reading(text.build())
        .build()
}

/// Creates a Google service account in its project.
pub(crate) fn create_account(email: &str) -> Option<Command> {
    Command::new(&["gcloud", "iam", "service-accounts", "create"])
        .value(email.split('@').next())
        .option("--project", project_of(email))
        .build()
}

/// Enables a Google service account.
pub(crate) fn enable_account(email: &str) -> Option<Command> {
    of_account("enable", email, email)
}

/// Shows a Google service account.
pub(crate) fn show_account(email: &str) -> Option<Command> {
    of_account("describe", email, email)
}

/// Brings a deleted Google service account back, by its unique id.
pub(crate) fn undelete_account(email: &str, id: &str) -> Option<Command> {
    of_account("undelete", email, id)
}

/// Lets a member act as a Google service account.
pub(crate) fn let_act_as(email: &str, member: impl Into<Value>) -> Option<Command> {
    let bind = Command::new(&["gcloud", "iam", "service-accounts"])
        .words(&["add-iam-policy-binding"])
        .value(email);
    in_project(bind, email)
        .words(&["--role", USER])
        .option("--member", member)
        .words(&["--condition=None"])
        .build()
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

/// Grants a role on a place.
pub(crate) fn grant(place: &Place, member: &str, role: &str) -> Option<Command> {
    let command = match place {
        Place::Bucket(name) => Command::new(&["gcloud", "storage", "buckets"])
            .words(&["add-iam-policy-binding"])
            .joined(["gs://".into(), name.into()]),
        Place::Repository {
            project,
            location,
            name,
        } => Command::new(&["gcloud", "artifacts", "repositories"])
            .words(&["add-iam-policy-binding"])
            .value(name)
            .option("--location", location)
            .option("--project", project),
        Place::Secret { project, name } => Command::new(&["gcloud", "secrets"])
            .words(&["add-iam-policy-binding"])
            .value(name)
            .option("--project", project),
        Place::Project(id) => Command::new(&["gcloud", "projects"])
            .words(&["add-iam-policy-binding"])
            .value(id),
    };
    command
        .option("--member", member)
        .option("--role", role)
        .words(&["--condition=None"])
        .build()
}

/// Creates a target; none of a project, which is not made on the way. `near` is where a bucket
/// should lie.
pub(crate) fn create(place: &Place, near: &Workload) -> Option<Command> {
    match place {
        Place::Bucket(name) => Command::new(&["gcloud", "storage", "buckets", "create"])
            .joined(["gs://".into(), name.into()])
            .option("--project", &near.project)
            .option("--location", region(&near.location))
            .words(&["--uniform-bucket-level-access"])
            .build(),
        Place::Repository {
            project,
            location,
            name,
        } => Command::new(&["gcloud", "artifacts", "repositories", "create"])
            .value(name)
            .words(&["--repository-format=docker"])
            .option("--location", location)
            .option("--project", project)
            .build(),
        Place::Secret { project, name } => Command::new(&["gcloud", "secrets", "create"])
            .value(name)
            .words(&["--replication-policy=automatic"])
            .option("--project", project)
            .build(),
        Place::Project(_) => None,
    }
}

fn of_account(verb: &'static str, email: &str, which: &str) -> Option<Command> {
    let command = Command::new(&["gcloud", "iam", "service-accounts"]).words(&[verb]);
    in_project(command.value(which), email).build()
}

/// gcloud finds an account by its address alone. Its project is said where the address has it.
fn in_project(command: sidestep::Builder, email: &str) -> sidestep::Builder {
    match project_of(email) {
        Some(project) => command.option("--project", project),
        None => command,
    }
}

/// The region of a zone (`europe-west1-b`), or the region itself.
fn region(location: &str) -> &str {
    match location.rsplit_once('-') {
        Some((region, zone)) if zone.len() == 1 => region,
        _ => location,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Way, example};

    #[test]
    fn a_zone_lies_in_a_region() {
        assert_eq!(region("europe-west1-b"), "europe-west1");
        assert_eq!(region("europe-west1"), "europe-west1");
    }

    #[test]
    fn an_account_of_an_unknown_project_gets_a_command_without_a_hole() {
        let compute = "123-compute@developer.gserviceaccount.com";
        assert_eq!(
            enable_account(compute)
                .map(|command| command.to_line())
                .as_deref(),
            Some("gcloud iam service-accounts enable 123-compute@developer.gserviceaccount.com")
        );
        assert_eq!(create_account(compute), None, "people can't create it");
    }

    #[test]
    fn nobody_is_bound_who_is_not_known() {
        let workload = example(Way::Direct).workload;
        let lines = |caller| -> Vec<String> {
            let commands = let_create_tokens(&workload, caller);
            commands.iter().map(Command::to_line).collect()
        };
        assert_eq!(lines(None).len(), 1);
        assert_eq!(
            lines(Some("dev@x")),
            [
                "kubectl create role sidestep-verify --verb=create --resource=serviceaccounts/token --resource-name=kaniko -n builds",
                "kubectl create rolebinding sidestep-verify --role=sidestep-verify --user dev@x -n builds",
            ]
        );
    }
}
