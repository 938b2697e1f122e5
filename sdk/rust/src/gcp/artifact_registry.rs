//! Repositories of Artifact Registry. Grant key: `artifactRegistry`.

use crate::Result;
use crate::bindings::sidestep::gcp::artifact_registry;
use crate::error::{each, only};

pub use artifact_registry::{PermissionQuery, Repository};

/// Returns facts about a repository (`projects/P/locations/L/repositories/R`).
pub fn repository(name: impl Into<String>) -> Result<Repository> {
    only(artifact_registry::repositories(&[name.into()]))
}

/// Returns facts about repositories, in the order of the names.
pub fn repositories(names: &[String]) -> Vec<Result<Repository>> {
    each(artifact_registry::repositories(names))
}

/// Returns those of the permissions that the runner has on a repository.
pub fn test_permissions(query: PermissionQuery) -> Result<Vec<String>> {
    only(artifact_registry::test_permissions(&[query]))
}

/// Returns those of the permissions that the runner has, in the order of the queries.
pub fn test_permissions_all(queries: &[PermissionQuery]) -> Vec<Result<Vec<String>>> {
    each(artifact_registry::test_permissions(queries))
}
