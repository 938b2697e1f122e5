//! Repository paths: the Artifact Registry repository and the image in it
//! (<https://cloud.google.com/artifact-registry/docs/docker/names>).

use crate::error::ApiError;
use sidestep_contract::image::is_component;
use sidestep_contract::registry::{Google, is_googles};
use sidestep_sandbox_identity::Resource;
use std::path::PathBuf;

/// A parsed image path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    /// The path after `/v2/`, as the client sent it.
    pub(crate) written: String,
    pub(crate) project: String,
    pub(crate) location: String,
    /// The Artifact Registry repository's id.
    pub(crate) repository: String,
    /// The path inside the repository.
    pub(crate) path: String,
}

impl Image {
    /// Parses a path. `host` is the request's own; `written` is the path between `/v2/` and the
    /// endpoint. Every component is checked, since they become folders.
    pub(crate) fn parse(host: &str, written: &str) -> Result<Self, ApiError> {
        let bad =
            |why: &str| ApiError::name_invalid(format!("Invalid image name \"{written}\": {why}."));
        let mut parts: Vec<&str> = written.split('/').collect();
        if let Some(part) = parts.iter().find(|part| !is_component(part)) {
            return Err(bad(&format!("\"{part}\" is not a valid path component")));
        }
        if written.len() > 255 {
            return Err(bad("it is over 255 characters"));
        }
        let registry = match parts.first() {
            Some(first) if is_googles(first) => parts.remove(0),
            _ if is_googles(host) => host,
            _ => {
                return Err(bad(
                    "it does not begin with a registry host such as europe-docker.pkg.dev or \
                     gcr.io",
                ));
            }
        };
        let registry = Google::read(registry).ok_or_else(|| bad("no registry"))?;
        // `example.com/project` is a domain-scoped project.
        let domain = parts.first().is_some_and(|first| first.contains('.'));
        let taken = if domain { 2 } else { 1 };
        if parts.len() < taken {
            return Err(bad("it names no project"));
        }
        let project = parts.drain(..taken).collect::<Vec<_>>().join(":");
        let repository = match registry {
            Google::ContainerRegistry { repository, .. } => repository.to_owned(),
            Google::Location(_) if parts.is_empty() => return Err(bad("it names no repository")),
            Google::Location(_) => parts.remove(0).to_owned(),
        };
        if parts.is_empty() {
            return Err(bad("it names no image inside the repository"));
        }
        Ok(Self {
            written: written.to_owned(),
            project,
            location: registry.location().to_owned(),
            repository,
            path: parts.join("/"),
        })
    }

    pub(crate) fn resource(&self) -> Resource {
        Resource::Repository {
            project: self.project.clone(),
            location: self.location.clone(),
            name: self.repository.clone(),
        }
    }

    /// Returns the repository's full name, as in Google's messages.
    pub(crate) fn full_name(&self) -> String {
        let Self {
            project,
            location,
            repository,
            ..
        } = self;
        format!("projects/{project}/locations/{location}/repositories/{repository}")
    }

    /// Returns the repository's folder inside the state directory.
    pub(crate) fn repository_folder(&self) -> PathBuf {
        [&self.project, &self.location, &self.repository]
            .iter()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(host: &str, written: &str) -> Option<(String, String)> {
        let image = Image::parse(host, written).ok()?;
        Some((image.full_name(), image.path))
    }

    #[test]
    fn paths_name_repositories_with_and_without_their_host() {
        let some = |name: &str, path: &str| Some((name.to_owned(), path.to_owned()));
        let europe = "projects/p/locations/europe/repositories/r";
        assert_eq!(
            full("127.0.0.1", "europe-docker.pkg.dev/p/r/a/b"),
            some(europe, "a/b")
        );
        assert_eq!(
            full("europe-docker.pkg.dev", "p/r/app"),
            some(europe, "app")
        );
        let gcr = "projects/p/locations/us/repositories/gcr.io";
        assert_eq!(full("localhost", "gcr.io/p/img"), some(gcr, "img"));
        assert_eq!(full("gcr.io", "p/img"), some(gcr, "img"));
        let eu = "projects/p/locations/europe/repositories/eu.gcr.io";
        assert_eq!(full("", "eu.gcr.io/p/a/b"), some(eu, "a/b"));
        let scoped = "projects/example.com:p/locations/us-west1/repositories/r";
        assert_eq!(
            full("", "us-west1-docker.pkg.dev/example.com/p/r/i"),
            some(scoped, "i")
        );
    }

    #[test]
    fn what_is_no_image_path_is_refused() {
        for bad in [
            "p/r/i",
            "europe-docker.pkg.dev/p/r",
            "gcr.io/p",
            "gcr.io",
            "",
            "gcr.io/p/../x",
            "gcr.io/p/_blobs",
            "gcr.io/p/A",
            "gcr.io/p//x",
            "gcr.io/p/a..b",
            "gcr.io/p/-a",
            "-docker.pkg.dev/p/r/i",
        ] {
            assert_eq!(full("127.0.0.1", bad), None, "{bad}");
        }
    }
}
