//! Names of images: hosts, repositories, tags and digests.

use std::fmt;

use sidestep_contract::image::{Image as Name, is_digest};
use sidestep_contract::registry;
use sidestep_events::{Class, Failure, Owner, codes};

/// A repository of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The registry's host, with its port if it has one.
    pub host: String,
    /// The name in the registry.
    pub path: String,
}

/// An image: the content of a repository under a tag or a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The image's repository.
    pub repository: Repository,
    /// A tag, or `sha256:` and 64 hex digits.
    pub reference: String,
}

impl Repository {
    /// Reads `HOST/REPOSITORY`.
    ///
    /// # Errors
    /// `registry.name` if the text is not a repository.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = || {
            wrong(format!(
                "`{}` is not a valid repository name",
                text.escape_debug()
            ))
            .with_help("write it with its registry: HOST/REPOSITORY, in lower case")
        };
        let name = Name::read(text).filter(|name| (name.tag, name.digest) == (None, None));
        name.and_then(Self::of).ok_or_else(wrong)
    }

    /// Returns the repository of a name that includes its registry. Hosts are compared with grants,
    /// so they must be in lower case.
    fn of(name: Name<'_>) -> Option<Self> {
        let lower = |host: &&str| !host.contains(|c: char| c.is_ascii_uppercase());
        name.host.filter(lower)?;
        let repository = name.repository();
        let (host, path) = repository.split_once('/')?;
        Some(Self {
            host: host.to_owned(),
            path: path.to_owned(),
        })
    }

    /// Returns whether it is one of Google's registries, which accept Google's access tokens.
    pub fn is_googles(&self) -> bool {
        registry::is_googles(&self.host)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.path)
    }
}

impl Image {
    /// Reads `HOST/REPOSITORY:TAG` or `HOST/REPOSITORY@sha256:…`.
    ///
    /// # Errors
    /// `registry.name` if the text is not an image.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = || {
            wrong(format!("`{}` is not a valid image reference", text.escape_debug())).with_help(
                "write it with its registry, and its tag or digest: HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:…",
            )
        };
        let name = Name::read(text).ok_or_else(wrong)?;
        // A tag beside a digest has no effect.
        let reference = name.digest.or(name.tag).ok_or_else(wrong)?;
        Ok(Self {
            repository: Repository::of(name).ok_or_else(wrong)?,
            reference: reference.to_owned(),
        })
    }

    /// Returns the digest, if the reference is one.
    pub fn digest(&self) -> Option<&str> {
        is_digest(&self.reference).then_some(self.reference.as_str())
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.digest().is_some() { '@' } else { ':' };
        write!(f, "{}{sign}{}", self.repository, self.reference)
    }
}

fn wrong(message: String) -> Failure {
    Failure::new(
        Class::InvalidInput,
        codes::registry::NAME,
        Owner::Author,
        message,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_read_and_written() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for (text, host, path, reference) in [
            (
                "europe-docker.pkg.dev/demo/images/app:1.0",
                "europe-docker.pkg.dev",
                "demo/images/app",
                "1.0",
            ),
            (
                "localhost:5000/app:latest",
                "localhost:5000",
                "app",
                "latest",
            ),
            (
                &*format!("ghcr.io/a/b@{digest}"),
                "ghcr.io",
                "a/b",
                &*digest,
            ),
        ] {
            let image = Image::parse(text).expect(text);
            assert_eq!(
                (
                    &*image.repository.host,
                    &*image.repository.path,
                    &*image.reference
                ),
                (host, path, reference)
            );
            assert_eq!(image.to_string(), text);
        }
        let hub = Image::parse("docker.io/python:3").expect("an image");
        assert_eq!(hub.to_string(), "docker.io/library/python:3");
        let both = Image::parse(&format!("ghcr.io/a/b:1@{digest}")).expect("an image");
        assert_eq!(both.to_string(), format!("ghcr.io/a/b@{digest}"));
    }

    #[test]
    fn nothing_else_is_an_image() {
        for text in [
            "",
            "app",
            "app:1",
            "library/app:1",
            "ghcr.io/app",
            "ghcr.io/app:",
            "ghcr.io/App:1",
            "ghcr.io/../app:1",
            "ghcr.io/a//b:1",
            "ghcr.io/a/b:-1",
            "ghcr.io/a/b?x:1",
            "ghcr.io/a/b@sha256:0a",
            "ghcr.io/a/b@md5:0a",
            "ghcr.io:x/a:1",
            "user@ghcr.io/a:1",
            "https://ghcr.io/a:1",
            "ghcr.io./a:1",
        ] {
            let failure = Image::parse(text).expect_err(text);
            assert_eq!(failure.code, "registry.name");
        }
    }

    #[test]
    fn only_googles_registries_are_googles() {
        for (repository, is) in [
            ("europe-docker.pkg.dev/a/b", true),
            ("eu.gcr.io/a/b", true),
            ("gcr.io/a/b", true),
            ("docker.pkg.dev.example/a", false),
            ("evilgcr.io/a", false),
            ("pkg.dev/a", false),
            ("ghcr.io/a", false),
            ("gcr.io:444/a", false),
        ] {
            let repository = Repository::parse(repository).expect("a repository");
            assert_eq!(repository.is_googles(), is, "{repository}");
        }
    }
}
