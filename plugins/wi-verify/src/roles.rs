//! Roles and the permissions that they are for.
//! <https://cloud.google.com/iam/docs/understanding-roles>

use sidestep::gcp::iam::{Condition, Policy};
use sidestep::google::Resource;

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

/// The narrowest first, so that a printed command grants no more than necessary.
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

fn of(resource: &Resource) -> &'static [Role] {
    match resource {
        Resource::Objects { .. } => STORAGE,
        Resource::Repository(_) => REGISTRY,
        Resource::Secret { .. } => SECRETS,
        // A project's permissions are of any service.
        Resource::Project(_) => &[],
    }
}

/// Returns the narrowest role that has all of the permissions; none if that is unknown.
pub(crate) fn with(resource: &Resource, permissions: &[&str]) -> Option<&'static str> {
    let fits = |role: &&Role| {
        permissions
            .iter()
            .all(|permission| role.1.contains(permission))
    };
    of(resource).iter().find(fits).map(|(name, _)| *name)
}

/// Whether a policy grants something to a member.
#[derive(Debug, Clone)]
pub(crate) enum Grant {
    /// It does.
    Given,
    /// It does under each of these conditions.
    Conditioned(Vec<Condition>),
    /// It does not.
    Absent,
    /// It could not be read, so this is unknown.
    Unread,
}

/// Conditions, each by title and expression, for a sentence.
pub(crate) fn shown(conditions: &[Condition]) -> String {
    let each = |condition: &Condition| format!("{}: {}", condition.title, condition.expression);
    conditions.iter().map(each).collect::<Vec<_>>().join("; ")
}

/// Returns whether a policy grants one of the roles to a member that `is` recognises. None is a
/// policy that could not be read.
pub(crate) fn grants(
    policy: Option<&Policy>,
    role: impl Fn(&str) -> bool,
    is: impl Fn(&str) -> bool,
) -> Grant {
    let Some(policy) = policy else {
        return Grant::Unread;
    };
    let mut conditions = Vec::new();
    for binding in &policy.bindings {
        if !role(&binding.role) || !binding.members.iter().any(|member| is(member)) {
            continue;
        }
        match &binding.condition {
            None => return Grant::Given,
            Some(condition) => conditions.push(condition.clone()),
        }
    }
    if conditions.is_empty() {
        Grant::Absent
    } else {
        Grant::Conditioned(conditions)
    }
}

/// Returns whether a policy of the place grants a permission, as far as the roles are known.
pub(crate) fn allows(
    resource: &Resource,
    policy: Option<&Policy>,
    permission: &str,
    is: impl Fn(&str) -> bool,
) -> Grant {
    let role = |name: &str| {
        of(resource)
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

    fn bucket() -> Resource {
        Resource::Objects {
            bucket: "b".to_owned(),
            prefix: String::new(),
        }
    }

    #[test]
    fn the_narrowest_role_is_found() {
        let bucket = bucket();
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
        assert_eq!(with(&Resource::Project("p".to_owned()), &["a.b.c"]), None);
    }

    #[test]
    fn conditions_are_told_from_grants() {
        let resource = bucket();
        let mut policy = policy(&[("roles/storage.objectViewer", "user:a")]);
        let asked = |policy: &Policy| {
            allows(&resource, Some(policy), "storage.objects.get", |member| {
                member == "user:a"
            })
        };
        assert!(matches!(asked(&policy), Grant::Given));
        let condition = Condition {
            title: "office hours".to_owned(),
            description: None,
            expression: "false".to_owned(),
        };
        assert_eq!(
            shown(std::slice::from_ref(&condition)),
            "office hours: false"
        );
        policy.bindings[0].condition = Some(condition);
        let again = policy.bindings[0].clone();
        policy.bindings.push(again);
        assert!(matches!(asked(&policy), Grant::Conditioned(each) if each.len() == 2));
        policy.bindings.clear();
        assert!(matches!(asked(&policy), Grant::Absent));
        let unread = allows(&resource, None, "storage.objects.get", |_| true);
        assert!(matches!(unread, Grant::Unread), "{unread:?}");
    }
}
