//! The permissions of a caller on a resource, and whether the caller can read the resource at all.

use sidestep_bindings::sidestep::gcp::types::PolicyResource;
use sidestep_control_plane::ControlPlane;
use sidestep_events::Failure;
use sidestep_google::Name;

use super::kind;

/// Returns the subset of the permissions that the caller has, in the order of the query. An empty
/// answer may also mean that the resource does not exist.
pub async fn test(
    google: &ControlPlane,
    resource: &PolicyResource,
    name: &Name,
    permissions: &[String],
) -> Result<Vec<String>, Failure> {
    let what = format!("test permissions on {name}");
    let answer = google.test_permissions(&what, kind(resource), name, permissions);
    let held = answer.await?.permissions;
    Ok(permissions
        .iter()
        .filter(|asked| held.contains(asked))
        .cloned()
        .collect())
}

/// Checks that the caller can read the resource itself.
pub async fn look(
    google: &ControlPlane,
    resource: &PolicyResource,
    name: &Name,
) -> Result<(), Failure> {
    let what = format!("get {name}");
    google.look(&what, kind(resource), name).await
}
