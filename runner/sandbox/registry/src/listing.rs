//! The contents of a repository, for Artifact Registry's own API.

use crate::{App, Registry, digest::Digest, error::ApiError, name::Image};
use serde_json::Value;
use std::path::PathBuf;

/// An image in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedImage {
    /// The image's name inside the repository, such as `team/app`.
    pub path: String,
    /// The digest of the image's manifest.
    pub digest: String,
    /// The image's tags, sorted.
    pub tags: Vec<String>,
    /// The media type of the image's manifest.
    pub media_type: String,
    /// The size of the layers and the configuration, in bytes, as pushed.
    pub size: u64,
    /// The time at which the manifest was pushed.
    pub uploaded: jiff::Timestamp,
}

impl Registry {
    /// Returns the images of a repository by name and digest, or none if there was no push.
    /// Unreadable images are skipped and traced.
    pub fn images(&self, project: &str, location: &str, repository: &str) -> Vec<ListedImage> {
        let repository = [project, location, repository];
        let found = list(&self.0, repository);
        found.unwrap_or_else(|error| {
            tracing::error!(?error, "a repository could not be listed");
            Vec::new()
        })
    }
}

fn list(
    app: &App,
    [project, location, repository]: [&str; 3],
) -> Result<Vec<ListedImage>, ApiError> {
    let mut images = Vec::new();
    let folder: PathBuf = [project, location, repository].iter().collect();
    for path in app.disk.paths(&folder)? {
        let image = Image {
            written: path.clone(),
            project: project.to_owned(),
            location: location.to_owned(),
            repository: repository.to_owned(),
            path,
        };
        let mut tagged = Vec::new();
        for tag in app.disk.tags(&image)? {
            if let Some(digest) = app.disk.tag(&image, &tag)? {
                tagged.push((digest.to_string(), tag));
            }
        }
        for digest in app.disk.manifests(&image)? {
            let Some(facts) = app.disk.facts(&image, &digest)? else {
                continue;
            };
            let text = digest.to_string();
            let tags = tagged.iter().filter(|(of, _)| *of == text);
            images.push(ListedImage {
                path: image.path.clone(),
                tags: tags.map(|(_, tag)| tag.clone()).collect(),
                size: size(app, &digest)?,
                uploaded: app.disk.uploaded(&image, &digest)?,
                digest: text,
                media_type: facts.media_type,
            });
        }
    }
    Ok(images)
}

/// Returns the size of the layers and the configuration, as stated in the manifest.
fn size(app: &App, digest: &Digest) -> Result<u64, ApiError> {
    let manifest: Value =
        serde_json::from_slice(&app.disk.manifest_bytes(digest)?).unwrap_or_default();
    let layers = manifest["layers"].as_array().into_iter().flatten();
    let parts = layers.chain([&manifest["config"]]);
    Ok(parts.filter_map(|part| part["size"].as_u64()).sum())
}
