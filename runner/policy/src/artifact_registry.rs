//! The scopes of calls to Artifact Registry's own API.

crate::lookup::lookup! {
    ArtifactRegistry called by ArtifactRegistryCall:
    /// A read of a repository.
    repository as Image, /// `HOST/PROJECT/REPOSITORY`, or the resource name `projects/P/locations/L/repositories/R`.
    actions ["get", "testPermissions"],
    described "repository ",
    explained "repository"
}
