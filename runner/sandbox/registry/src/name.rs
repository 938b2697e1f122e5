//! Repository paths: which Artifact Registry repository, and which image in it
//! (<https://cloud.google.com/artifact-registry/docs/docker/names>).

use crate::failure::Failure;
use sidestep_sandbox_identity::Resource;
use std::path::PathBuf;

/// An image path, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    /// As the client wrote it after `/v2/`.
    pub(crate) written: String,
    pub(crate) project: String,
    pub(crate) location: String,
    /// The Artifact Registry repository's id.
    pub(crate) repository: String,
    /// The path inside the repository.
    pub(crate) path: String,
}

/// Whether requests to this host are for a registry of Google's.
pub(crate) fn is_registry(host: &str) -> bool {
    location(host).is_some()
}

/// A registry host's location, and the repository that a `gcr.io` host stands for.
fn location(host: &str) -> Option<(&str, Option<&str>)> {
    match host {
        "gcr.io" | "us.gcr.io" => Some(("us", Some(host))),
        "eu.gcr.io" => Some(("europe", Some(host))),
        "asia.gcr.io" => Some(("asia", Some(host))),
        _ => {
            let location = host.strip_suffix("-docker.pkg.dev")?;
            let plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            (!location.is_empty() && location.bytes().all(plain)).then_some((location, None))
        }
    }
}

impl Image {
    /// `host` is the request's own; `written` the path between `/v2/` and the
    /// endpoint. Every component is checked, since they become folders.
    pub(crate) fn parse(host: &str, written: &str) -> Result<Self, Failure> {
        let bad =
            |why: &str| Failure::name_invalid(format!("Invalid image name \"{written}\": {why}."));
        let mut parts: Vec<&str> = written.split('/').collect();
        if let Some(part) = parts.iter().find(|part| !component(part)) {
            return Err(bad(&format!("\"{part}\" is no path component")));
        }
        if written.len() > 255 {
            return Err(bad("it is over 255 characters"));
        }
        let registry = match parts.first() {
            Some(first) if is_registry(first) => parts.remove(0),
            _ if is_registry(host) => host,
            _ => {
                return Err(bad(
                    "it begins with no registry host such as europe-docker.pkg.dev or gcr.io",
                ));
            }
        };
        let (location, gcr) = location(registry).ok_or_else(|| bad("no registry"))?;
        // `example.com/project` is a domain-scoped project.
        let domain = parts.first().is_some_and(|first| first.contains('.'));
        let taken = if domain { 2 } else { 1 };
        if parts.len() < taken {
            return Err(bad("it names no project"));
        }
        let project = parts.drain(..taken).collect::<Vec<_>>().join(":");
        let repository = match gcr {
            Some(repository) => repository.to_owned(),
            None if parts.is_empty() => return Err(bad("it names no repository")),
            None => parts.remove(0).to_owned(),
        };
        if parts.is_empty() {
            return Err(bad("it names no image inside the repository"));
        }
        Ok(Self {
            written: written.to_owned(),
            project,
            location: location.to_owned(),
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

    /// The repository's full name, as it stands in Google's messages.
    pub(crate) fn full_name(&self) -> String {
        let Self {
            project,
            location,
            repository,
            ..
        } = self;
        format!("projects/{project}/locations/{location}/repositories/{repository}")
    }

    /// The repository's folder inside the state directory.
    pub(crate) fn repository_folder(&self) -> PathBuf {
        [&self.project, &self.location, &self.repository]
            .iter()
            .collect()
    }
}

/// The distribution spec's `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn component(text: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    alphanumeric(*first)
        && alphanumeric(*last)
        && text
            .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            .all(|between| {
                matches!(between, "" | "." | "_" | "__") || between.bytes().all(|b| b == b'-')
            })
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
