//! The commands that grant what is lacking and make what is missing.

use sidestep::{Class, Error};

use crate::identity::Identity;
use crate::shell;
use crate::targets::{Place, Target};
use crate::verdict::cloud;

/// The command that grants a role.
pub(crate) fn grant(place: &Place, member: &str, role: &str) -> String {
    let rest = ["--member", member, "--role", role, "--condition=None"];
    let with = |text: &str, own: &[&str]| {
        let words: Vec<&str> = own.iter().chain(&rest).copied().collect();
        shell::command(text, &words)
    };
    match place {
        Place::Bucket(name) => with(
            "gcloud storage buckets add-iam-policy-binding",
            &[&format!("gs://{name}")],
        ),
        Place::Repository {
            project,
            location,
            name,
        } => with(
            "gcloud artifacts repositories add-iam-policy-binding",
            &[name, "--location", location, "--project", project],
        ),
        Place::Secret { project, name } => with(
            "gcloud secrets add-iam-policy-binding",
            &[name, "--project", project],
        ),
        Place::Project(id) => with("gcloud projects add-iam-policy-binding", &[id]),
    }
}

/// A target that is not there.
pub(crate) fn missing(identity: &Identity, target: &Target) -> Error {
    let place = &target.place;
    let error = cloud(
        Class::NotFound,
        "target-missing",
        format!(
            "there is no {}",
            place.shown().replace("gs://", "bucket gs://")
        ),
    );
    let workload = &identity.workload;
    match place {
        Place::Bucket(name) => error
            .help("mend its name, or make it, here in the cluster's project and region:")
            .help(shell::command(
                "gcloud storage buckets create",
                &[
                    &format!("gs://{name}"),
                    "--project",
                    &workload.project,
                    "--location",
                    region(&workload.location),
                    "--uniform-bucket-level-access",
                ],
            )),
        Place::Repository {
            project,
            location,
            name,
        } => error
            .help("mend its name, or make it:")
            .help(shell::command(
                "gcloud artifacts repositories create",
                &[
                    name,
                    "--repository-format=docker",
                    "--location",
                    location,
                    "--project",
                    project,
                ],
            )),
        Place::Secret { project, name } => error
            .help("mend its name, or make it, and add its value as a version:")
            .help(shell::command(
                "gcloud secrets create",
                &[name, "--replication-policy=automatic", "--project", project],
            )),
        Place::Project(_) => error.help("`project` is a project's id, not its display name"),
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

    #[test]
    fn a_zone_lies_in_a_region() {
        assert_eq!(region("europe-west1-b"), "europe-west1");
        assert_eq!(region("europe-west1"), "europe-west1");
    }
}
