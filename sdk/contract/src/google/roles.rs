//! Predefined roles on the resources that builds use, and their permissions.
//!
//! <https://cloud.google.com/iam/docs/understanding-roles>

use super::resource::Resource;

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

/// Returns the narrowest role with all of the permissions on a resource, or `None` if none is known.
pub fn with(resource: &Resource, permissions: &[&str]) -> Option<&'static str> {
    let fits = |role: &&Role| {
        permissions
            .iter()
            .all(|permission| role.1.contains(permission))
    };
    of(resource).iter().find(fits).map(|(name, _)| *name)
}

/// Returns whether a role is known to have a permission on a resource.
pub fn has(resource: &Resource, role: &str, permission: &str) -> bool {
    of(resource)
        .iter()
        .any(|(name, permissions)| *name == role && permissions.contains(&permission))
}

/// Returns the permissions that a build needs on a resource.
pub fn needed(resource: &Resource) -> &'static [&'static str] {
    match resource {
        Resource::Objects { .. } => &["storage.objects.get"],
        Resource::Repository(_) => &[
            "artifactregistry.repositories.uploadArtifacts",
            "artifactregistry.repositories.downloadArtifacts",
        ],
        Resource::Secret { .. } => &["secretmanager.versions.access"],
        Resource::Project(_) => &[],
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
    fn a_known_role_has_its_permissions() {
        assert!(has(
            &bucket(),
            "roles/storage.objectViewer",
            "storage.objects.get"
        ));
        assert!(!has(
            &bucket(),
            "roles/storage.objectViewer",
            "storage.objects.create"
        ));
        assert!(!has(&bucket(), "roles/owner", "storage.objects.get"));
    }
}
