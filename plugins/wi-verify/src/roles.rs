//! Roles and the permissions that they are for.
//! <https://cloud.google.com/iam/docs/understanding-roles>

use sidestep::gcp::iam::{Condition, Policy};

use crate::targets::Place;

/// The roles that let a workload get tokens of a Google service account.
pub(crate) const ACTS_AS: [&str; 2] = [
    "roles/iam.workloadIdentityUser",
    "roles/iam.serviceAccountTokenCreator",
];

/// The roles on a project that let a push create a repository of Container Registry's hosts.
pub(crate) const CREATES_ON_PUSH: [&str; 2] = [
    "roles/artifactregistry.createOnPushWriter",
    "roles/artifactregistry.createOnPushRepoAdmin",
];

type Role = (&'static str, &'static [&'static str]);

/// The narrowest first, so that what is printed grants no more than it has to.
const STORAGE: &[Role] = &[
    (
        "roles/storage.objectViewer",
        &["storage.objects.get", "storage.objects.list"],
    ),
    ("roles/storage.objectCreator", &["storage.objects.create"]),
    (
        "roles/storage.objectUser",
        &[
            "storage.objects.get",
            "storage.objects.list",
            "storage.objects.create",
            "storage.objects.update",
            "storage.objects.delete",
        ],
    ),
    (
        "roles/storage.bucketViewer",
        &["storage.buckets.get", "storage.buckets.list"],
    ),
    (
        "roles/storage.objectAdmin",
        &[
            "storage.objects.get",
            "storage.objects.list",
            "storage.objects.create",
            "storage.objects.update",
            "storage.objects.delete",
            "storage.objects.getIamPolicy",
            "storage.objects.setIamPolicy",
        ],
    ),
];

const REGISTRY: &[Role] = &[
    (
        "roles/artifactregistry.reader",
        &[
            "artifactregistry.repositories.downloadArtifacts",
            "artifactregistry.repositories.get",
        ],
    ),
    (
        "roles/artifactregistry.writer",
        &[
            "artifactregistry.repositories.downloadArtifacts",
            "artifactregistry.repositories.get",
            "artifactregistry.repositories.uploadArtifacts",
        ],
    ),
    (
        "roles/artifactregistry.repoAdmin",
        &[
            "artifactregistry.repositories.downloadArtifacts",
            "artifactregistry.repositories.get",
            "artifactregistry.repositories.uploadArtifacts",
            "artifactregistry.repositories.deleteArtifacts",
        ],
    ),
];

const SECRETS: &[Role] = &[(
    "roles/secretmanager.secretAccessor",
    &["secretmanager.versions.access"],
)];

fn of(place: &Place) -> &'static [Role] {
    match place {
        Place::Bucket(_) => STORAGE,
        Place::Repository { .. } => REGISTRY,
        Place::Secret { .. } => SECRETS,
        // A project's permissions are of any service.
        Place::Project(_) => &[],
    }
}

/// The narrowest role that has all of the permissions; none where that is not known.
pub(crate) fn with(place: &Place, permissions: &[&str]) -> Option<&'static str> {
    let fits = |role: &&Role| {
        permissions
            .iter()
            .all(|permission| role.1.contains(permission))
    };
    of(place).iter().find(fits).map(|(name, _)| *name)
}

/// How a policy answers a question about a member.
#[derive(Debug, Clone)]
pub(crate) enum Grant {
    /// It says yes.
    Given,
    /// It says yes under a condition.
    Conditioned(Condition),
    /// It says nothing.
    Absent,
}

/// A condition's title and expression, for a sentence.
pub(crate) fn shown(condition: &Condition) -> String {
    format!("{}: {}", condition.title, condition.expression)
}

/// Whether a policy grants one of the roles to a member that `is` recognises.
pub(crate) fn grants(
    policy: &Policy,
    role: impl Fn(&str) -> bool,
    is: impl Fn(&str) -> bool,
) -> Grant {
    let mut grant = Grant::Absent;
    for binding in &policy.bindings {
        if !role(&binding.role) || !binding.members.iter().any(|member| is(member)) {
            continue;
        }
        match &binding.condition {
            None => return Grant::Given,
            Some(condition) => {
                grant = Grant::Conditioned(condition.clone());
            }
        }
    }
    grant
}

/// Whether a policy of the place grants a permission, as far as the roles are known.
pub(crate) fn allows(
    place: &Place,
    policy: &Policy,
    permission: &str,
    is: impl Fn(&str) -> bool,
) -> Grant {
    let role = |name: &str| {
        of(place)
            .iter()
            .any(|(role, permissions)| *role == name && permissions.contains(&permission))
    };
    grants(policy, role, is)
}

#[cfg(test)]
pub(crate) fn policy(bindings: &[(&str, &str)]) -> Policy {
    use sidestep::gcp::iam::Binding;
    let binding = |(role, member): &(&str, &str)| Binding {
        role: (*role).to_owned(),
        members: vec![(*member).to_owned()],
        condition: None,
    };
    Policy {
        etag: "e".to_owned(),
        version: 3,
        bindings: bindings.iter().map(binding).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_role_is_found() {
        let bucket = Place::Bucket("b".to_owned());
        for (permissions, role) in [
            (
                &["storage.objects.get"][..],
                Some("roles/storage.objectViewer"),
            ),
            (
                &["storage.objects.create"],
                Some("roles/storage.objectCreator"),
            ),
            (
                &["storage.objects.get", "storage.objects.create"],
                Some("roles/storage.objectUser"),
            ),
            (&["storage.objects.melt"], None),
        ] {
            assert_eq!(with(&bucket, permissions), role, "{permissions:?}");
        }
        assert_eq!(with(&Place::Project("p".to_owned()), &["a.b.c"]), None);
    }

    #[test]
    fn conditions_are_told_from_grants() {
        let place = Place::Bucket("b".to_owned());
        let mut policy = policy(&[("roles/storage.objectViewer", "user:a")]);
        let asked = |policy: &Policy| {
            allows(&place, policy, "storage.objects.get", |member| {
                member == "user:a"
            })
        };
        assert!(matches!(asked(&policy), Grant::Given));
        let condition = Condition {
            title: "office hours".to_owned(),
            description: None,
            expression: "false".to_owned(),
        };
        assert_eq!(shown(&condition), "office hours: false");
        policy.bindings[0].condition = Some(condition);
        assert!(matches!(asked(&policy), Grant::Conditioned(_)));
        policy.bindings.clear();
        assert!(matches!(asked(&policy), Grant::Absent));
    }
}
