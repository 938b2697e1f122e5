//! A reference to a container image.

use std::fmt;
use std::str::FromStr;

use super::text::{ParseValueError, text_value};

/// A container image: `[HOST/]PATH[:TAG][@sha256:DIGEST]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageRef {
    text: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

text_value!(ImageRef, "image-ref", None);

impl ImageRef {
    /// The reference as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `HOST/PATH`; what names no host is Docker Hub's, as everywhere.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The host, with its port if it has one.
    pub fn registry(&self) -> &str {
        self.repository.split('/').next().unwrap_or_default()
    }

    /// The tag, if one was written.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest (`sha256:…`), if one was written.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// The same image, named by a digest alone.
    #[must_use]
    pub fn with_digest(&self, digest: &str) -> String {
        format!("{}@{digest}", self.repository)
    }
}

impl FromStr for ImageRef {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        let wrong = || ParseValueError::new("an image such as HOST/PATH:TAG", text);
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) if is_digest(digest) => (rest, Some(digest.to_owned())),
            Some(_) => return Err(wrong()),
            None => (text, None),
        };
        // A colon after the last slash begins a tag; before it, a port.
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag.to_owned())),
            _ => (rest, None),
        };
        if tag.as_deref().is_some_and(|tag| !is_tag(tag)) {
            return Err(wrong());
        }
        let repository = match path.split_once('/') {
            Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => path.to_owned(),
            Some(_) => format!("docker.io/{path}"),
            None => format!("docker.io/library/{path}"),
        };
        let mut parts = repository.split('/');
        let host = parts.next().unwrap_or_default();
        if host.is_empty() || !host.bytes().all(is_host) || !parts.all(is_component) {
            return Err(wrong());
        }
        Ok(Self {
            text: text.to_owned(),
            repository,
            tag,
            digest,
        })
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64
            && hex
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// OCI distribution spec: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

fn is_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".:-".contains(&byte)
}

/// A component of a path (OCI distribution spec): lower-case words with
/// separators between them.
fn is_component(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = [text.bytes().next(), text.bytes().last()];
    ends.iter().all(|end| end.is_some_and(word))
        && text.bytes().all(|b| word(b) || b"._-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn takes_references_apart() {
        let text = format!("localhost:5000/team/api:1.2@{DIGEST}");
        let image: ImageRef = text.parse().expect("a reference");
        assert_eq!(image.registry(), "localhost:5000");
        assert_eq!(image.repository(), "localhost:5000/team/api");
        assert_eq!((image.tag(), image.digest()), (Some("1.2"), Some(DIGEST)));
        assert_eq!(image.to_string(), text);
        assert_eq!(
            image.with_digest("sha256:1"),
            "localhost:5000/team/api@sha256:1"
        );
    }

    #[test]
    fn completes_docker_hub_s_names() {
        for (text, repository) in [
            ("python:3.13", "docker.io/library/python"),
            ("grafana/grafana", "docker.io/grafana/grafana"),
            (
                "europe-docker.pkg.dev/p/r/api",
                "europe-docker.pkg.dev/p/r/api",
            ),
        ] {
            assert_eq!(
                text.parse::<ImageRef>().expect(text).repository(),
                repository
            );
        }
    }

    #[test]
    fn refuses_what_no_registry_would_take() {
        for text in [
            "",
            ":tag",
            "a:",
            "A/b",
            "h.io/UP",
            "h.io//a",
            "a@sha256:12",
            "h.io/a:b c",
        ] {
            assert!(text.parse::<ImageRef>().is_err(), "{text}");
        }
    }
}
