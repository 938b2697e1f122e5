//! Roles and the permissions they hold.
//!
//! The predefined ones are data (`roles.json`): Google's own lists, from its role reference,
//! reduced to the APIs that the sandbox serves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// An IAM role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Role {
    /// The role's title.
    pub title: String,
    /// The role's description.
    pub description: String,
    /// Roles whose permissions the role also holds; empty in the result of [`predefined`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub includes: Vec<String>,
    /// The permissions.
    #[serde(alias = "includedPermissions")]
    pub permissions: BTreeSet<String>,
    /// Whether a custom role was deleted; a deleted role grants nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

static PREDEFINED: LazyLock<BTreeMap<String, Role>> = LazyLock::new(|| {
    let raw: BTreeMap<String, Role> = serde_json::from_str(include_str!("roles.json"))
        .expect("roles.json is part of the crate and read by its tests");
    raw.iter()
        .map(|(name, role)| {
            let mut permissions = BTreeSet::new();
            collect(&raw, name, &mut permissions);
            (
                name.clone(),
                Role {
                    permissions,
                    includes: Vec::new(),
                    ..role.clone()
                },
            )
        })
        .collect()
});

/// Adds a role's permissions, its own and those of the roles that it includes.
fn collect(raw: &BTreeMap<String, Role>, name: &str, into: &mut BTreeSet<String>) {
    if let Some(role) = raw.get(name) {
        into.extend(role.permissions.iter().cloned());
        for included in &role.includes {
            collect(raw, included, into);
        }
    }
}

/// Returns Google's predefined roles by name (`roles/…`), with all their permissions.
pub fn predefined() -> &'static BTreeMap<String, Role> {
    &PREDEFINED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_included_role_exists() {
        let raw: BTreeMap<String, Role> = serde_json::from_str(include_str!("roles.json")).unwrap();
        for (name, role) in &raw {
            for included in &role.includes {
                assert!(raw.contains_key(included), "{name} includes {included}");
            }
        }
    }

    #[test]
    fn roles_hold_what_tells_them_apart() {
        let holds =
            |role: &str, permission: &str| predefined()[role].permissions.contains(permission);
        assert!(holds(
            "roles/iam.workloadIdentityUser",
            "iam.serviceAccounts.getAccessToken"
        ));
        assert!(!holds(
            "roles/iam.serviceAccountUser",
            "iam.serviceAccounts.getAccessToken"
        ));
        assert!(!holds("roles/owner", "iam.serviceAccounts.getAccessToken"));
        assert!(holds(
            "roles/artifactregistry.writer",
            "artifactregistry.repositories.downloadArtifacts"
        ));
        assert!(!holds(
            "roles/artifactregistry.writer",
            "artifactregistry.repositories.createOnPush"
        ));
        assert!(!holds("roles/storage.objectCreator", "storage.objects.get"));
        assert!(!holds("roles/viewer", "storage.objects.get"));
        assert!(!holds(
            "roles/secretmanager.viewer",
            "secretmanager.versions.access"
        ));
    }
}
