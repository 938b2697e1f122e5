//! What Artifact Registry's API asks of the server that holds the images.

/// The images that lie in repositories.
pub trait Images: Send + Sync + 'static {
    /// Those of a repository, sorted by name.
    fn images(&self, project: &str, location: &str, repository: &str) -> Vec<DockerImage>;
}

/// One image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DockerImage {
    /// Its name inside the repository, such as `team/app`.
    pub path: String,
    /// The digest of its manifest.
    pub digest: String,
    /// The tags that stand for it.
    pub tags: Vec<String>,
    /// Its manifest's media type.
    pub media_type: String,
    /// What its layers and its configuration hold, in bytes.
    pub size: u64,
    /// When it was pushed, RFC 3339.
    pub uploaded: String,
}
