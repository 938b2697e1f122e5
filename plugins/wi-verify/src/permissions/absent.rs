//! Targets that are not there.

use sidestep::gcp::iam::Policy;
use sidestep::google::Resource;
use sidestep::{Class, Error, codes};

use crate::identity::Identity;
use crate::roles::{self, Grant};
use crate::targets::{Target, created_on_push};
use crate::verdict::{Verdict, cloud};

/// Judges a target that does not exist. `policy` is that of its project.
pub(super) fn absent(identity: &Identity, target: &Target, policy: Option<&Policy>) -> Verdict {
    let place = target.resource.shown();
    let broken = || Verdict::Broken(missing(identity, target));
    let Some(project) = created_on_push(&target.resource) else {
        return broken();
    };
    let creates = |role: &str| roles::CREATES_ON_PUSH.contains(&role);
    match roles::grants(policy, creates, |member| identity.holds(member)) {
        Grant::Given => Verdict::Holds(format!("{place}: the first push creates it")),
        Grant::Conditioned(conditions) => Verdict::Unknown(format!(
            "not checked: {place} does not exist, and whether a push creates it depends on a condition ({})",
            roles::shown(&conditions)
        )),
        Grant::Unread => Verdict::Unknown(format!(
            "not checked: {place} does not exist, and the policy of project {project}, which decides whether a push may create it, could not be read"
        )),
        Grant::Absent | Grant::Undecided(_) => broken(),
    }
}

/// Returns the failure of a target that does not exist.
fn missing(identity: &Identity, target: &Target) -> Error {
    let place = &target.resource;
    let error = cloud(
        Class::NotFound,
        codes::identity::TARGET_MISSING,
        format!(
            "there is no {}",
            match place {
                Resource::Objects { bucket, .. } => format!("bucket gs://{bucket}"),
                other => other.shown(),
            }
        ),
    );
    error
        .help(match place {
            Resource::Objects { .. } => {
                "correct its name, or create it in the cluster's project and region:"
            }
            Resource::Repository(_) => "correct its name, or create it:",
            Resource::Secret { .. } => {
                "correct its name, or create it and add its value as a version:"
            }
            Resource::Project(_) => "`project` is a project's id, not its display name",
        })
        .helps(place.create(&identity.workload.project, &identity.workload.location))
}
