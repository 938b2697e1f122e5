//! The interface between Artifact Registry's API and the server that stores the images.

/// The images in repositories.
pub trait Images: Send + Sync + 'static {
    /// Returns the images of a repository, sorted by name.
    fn images(&self, project: &str, location: &str, repository: &str) -> Vec<DockerImage>;
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DockerImage {
    /// The image's name inside the repository, such as `team/app`.
    pub path: String,
    /// The digest of the image's manifest.
    pub digest: String,
    /// The image's tags.
    pub tags: Vec<String>,
    /// The media type of the image's manifest.
    pub media_type: String,
    /// The size of the layers and the configuration, in bytes.
    pub size: u64,
    /// The time of the push, RFC 3339.
    pub uploaded: String,
}
