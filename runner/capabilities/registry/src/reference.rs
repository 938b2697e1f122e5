//! What names images: hosts, repositories, tags and digests.

use std::fmt;

use sidestep_events::{Class, Failure, Owner};

/// The longest name of a repository that registries have to take, with its host (OCI distribution
/// specification, "Pulling manifests").
const MAX_NAME: usize = 255;
/// The longest tag (the same).
const MAX_TAG: usize = 128;

/// A repository of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The registry's host, with its port where it has one.
    pub host: String,
    /// The name in the registry.
    pub path: String,
}

/// An image: what a repository has under a tag or a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Where it is.
    pub repository: Repository,
    /// A tag, or `sha256:` and 64 hex digits.
    pub reference: String,
}

impl Repository {
    /// Reads `HOST/REPOSITORY`.
    ///
    /// # Errors
    /// `registry.name` for what is none.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = || {
            wrong(format!("`{}` is no repository", text.escape_debug()))
                .with_help("write it with its registry: HOST/REPOSITORY, in lower case")
        };
        let (host, path) = text.split_once('/').ok_or_else(wrong)?;
        if text.len() > MAX_NAME || !is_host(host) || !path.split('/').all(is_component) {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            path: path.to_owned(),
        })
    }

    /// Whether it is one of Google's registries, which take Google's access tokens.
    pub fn is_googles(&self) -> bool {
        let host = self.host.as_str();
        host == "gcr.io" || host.ends_with(".gcr.io") || host.ends_with("-docker.pkg.dev")
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
    /// `registry.name` for what is none.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = || {
            wrong(format!("`{}` is no image", text.escape_debug())).with_help(
                "write it with its registry, and its tag or digest: HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:…",
            )
        };
        let (name, reference) = if let Some((name, digest)) = text.split_once('@') {
            // A tag beside a digest says nothing more.
            (without_tag(name), is_digest(digest).then_some(digest))
        } else {
            let name = without_tag(text);
            let tag = text.get(name.len() + 1..).filter(|tag| is_tag(tag));
            (name, tag)
        };
        Ok(Self {
            repository: Repository::parse(name).map_err(|_| wrong())?,
            reference: reference.ok_or_else(wrong)?.to_owned(),
        })
    }

    /// The digest, where it is named by it.
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

/// The text up to its tag: a colon before the last slash is a port's.
pub(super) fn without_tag(text: &str) -> &str {
    let last = text.rfind('/').map_or(0, |slash| slash + 1);
    match text[last..].find(':') {
        Some(colon) => &text[..last + colon],
        None => text,
    }
}

/// Whether it is a digest of the only kind that is taken, SHA-256.
pub(super) fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64
            && hex
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}

fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= MAX_TAG
        && tag.bytes().next().is_some_and(word)
        && tag
            .bytes()
            .all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

/// A host has a dot, or a port, or is this machine; else it would be a folder of Docker Hub's.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let port_is_one = port.is_none_or(|port| port.parse::<u16>().is_ok());
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    port_is_one
        && name.split('.').all(label)
        && (name.contains('.') || port.is_some() || name == "localhost")
}

/// A part of a repository's name: lower-case letters and digits, divided by `.`, `_`, `__` or
/// dashes (OCI distribution specification, "Pulling manifests").
fn is_component(text: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = |byte: Option<u8>| byte.is_some_and(alphanumeric);
    ends(text.bytes().next())
        && ends(text.bytes().last())
        && text
            .bytes()
            .all(|byte| alphanumeric(byte) || b"._-".contains(&byte))
        && !text.contains("..")
}

fn wrong(message: String) -> Failure {
    Failure::new(Class::InvalidInput, "registry.name", Owner::Author, message)
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
