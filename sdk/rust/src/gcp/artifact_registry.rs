//! Repositories of Artifact Registry. Grant key: `artifactRegistry`.

use crate::Result;
use crate::bindings::sidestep::gcp::artifact_registry;
use crate::error::{each, only};

pub use artifact_registry::{PermissionQuery, Repository};

/// Returns facts about a repository (`projects/P/locations/L/repositories/R`).
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::gcp::artifact_registry;
///
/// # fn main() -> sidestep::Result<()> {
/// let images = artifact_registry::repository("projects/demo/locations/europe/repositories/images")?;
/// assert_eq!(images.format, "DOCKER");
/// # Ok(())
/// # }
/// ```
pub fn repository(name: impl Into<String>) -> Result<Repository> {
    only(artifact_registry::repositories(&[name.into()]))
}

/// Returns facts about repositories, in the order of the names.
///
/// # Examples
///
/// ```no_run
/// use sidestep::gcp::artifact_registry;
///
/// # fn main() -> sidestep::Result<()> {
/// let names = ["projects/demo/locations/europe/repositories/images".to_owned()];
/// let found = artifact_registry::repositories(&names);
/// # Ok(())
/// # }
/// ```
pub fn repositories(names: &[String]) -> Vec<Result<Repository>> {
    each(artifact_registry::repositories(names))
}

/// Returns those of the permissions that the runner has on a repository.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::gcp::artifact_registry::{self, PermissionQuery};
///
/// # fn main() -> sidestep::Result<()> {
/// let held = artifact_registry::test_permissions(PermissionQuery {
///     repository: "projects/demo/locations/europe/repositories/images".to_owned(),
///     permissions: vec!["artifactregistry.repositories.uploadArtifacts".to_owned()],
/// })?;
/// # Ok(())
/// # }
/// ```
pub fn test_permissions(query: PermissionQuery) -> Result<Vec<String>> {
    only(artifact_registry::test_permissions(&[query]))
}

/// Returns those of the permissions that the runner has, in the order of the queries.
///
/// # Examples
///
/// ```no_run
/// use sidestep::gcp::artifact_registry::{self, PermissionQuery};
///
/// # fn main() -> sidestep::Result<()> {
/// fn held(queries: &[PermissionQuery]) -> sidestep::Result<Vec<Vec<String>>> {
///     artifact_registry::test_permissions_all(queries).into_iter().collect()
/// }
/// # Ok(())
/// # }
/// ```
pub fn test_permissions_all(queries: &[PermissionQuery]) -> Vec<Result<Vec<String>>> {
    each(artifact_registry::test_permissions(queries))
}
