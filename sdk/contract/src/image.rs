//! Names of container images.

use crate::registry;

/// The maximum length of an image name without its host (`RepositoryNameTotalLengthMax` of
/// distribution/reference).
const MAX_NAME: usize = 255;
/// The maximum length of a tag (the same source).
const MAX_TAG: usize = 128;

/// An image name, split into its parts: `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image<'a> {
    /// The name as written, without tag and digest.
    pub name: &'a str,
    /// The registry's host, with its port if it has one. `None` means Docker Hub.
    pub host: Option<&'a str>,
    /// The path in the registry.
    pub path: &'a str,
    /// The tag.
    pub tag: Option<&'a str>,
    /// The digest.
    pub digest: Option<&'a str>,
}

impl<'a> Image<'a> {
    /// Splits a text without validating its parts: every text has a name and a path.
    pub fn split(text: &'a str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        // A colon before the last slash starts a port.
        let last = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest[last..].find(':') {
            Some(colon) => (&rest[..last + colon], Some(&rest[last + colon + 1..])),
            None => (rest, None),
        };
        let (host, path) = match name.split_once('/') {
            Some((host, path)) if names_a_host(host) => (Some(host), path),
            _ => (None, name),
        };
        Self {
            name,
            host,
            path,
            tag,
            digest,
        }
    }

    /// Parses a name by the grammar of the distribution project
    /// (<https://pkg.go.dev/github.com/distribution/reference>), which registries accept. SHA-256
    /// is the only supported digest. Returns `None` for any other text.
    pub fn read(text: &'a str) -> Option<Self> {
        let image = Self::split(text);
        let fits = image.path.len() <= MAX_NAME
            && image.host.is_none_or(is_host)
            && image.path.split('/').all(is_component)
            && image.tag.is_none_or(is_tag)
            && image.digest.is_none_or(is_digest);
        fits.then_some(image)
    }

    /// Returns `HOST/PATH`, the same for all names of one repository. A name without a host belongs
    /// to Docker Hub, where a path of one part is in `library/`, as in kaniko (go-containerregistry's
    /// `name.Repository`).
    pub fn repository(&self) -> String {
        match self.host {
            Some(host) if !registry::is_docker_hub(host) => self.name.to_owned(),
            _ if self.path.contains('/') => format!("{}/{}", registry::DOCKER_HUB, self.path),
            _ => format!("{}/library/{}", registry::DOCKER_HUB, self.path),
        }
    }
}

/// Returns whether the first part of a name is a host: it has a dot or a port, or is this machine.
/// Any other first part is a folder on Docker Hub, as in kaniko (go-containerregistry's
/// `name.NewRepository`). Docker also treats a part with a capital letter as a host.
fn names_a_host(part: &str) -> bool {
    part.contains(['.', ':']) || part == "localhost"
}

fn is_host(text: &str) -> bool {
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(plain)
    };
    name.split('.').all(label)
        && port.is_none_or(|port| digits(port) && port.parse::<u16>().is_ok())
}

/// Returns whether a text is a valid path component: lower-case letters and digits, with `.`, `_`,
/// `__` or dashes between them.
pub fn is_component(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separator =
        |text: &str| matches!(text, "" | "." | "_" | "__") || text.bytes().all(|byte| byte == b'-');
    text.starts_with(word) && text.ends_with(word) && text.split(word).all(separator)
}

/// Returns whether a text is a valid tag (OCI distribution specification, "Pulling manifests").
pub fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= MAX_TAG
        && text.bytes().next().is_some_and(word)
        && text
            .bytes()
            .all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

/// Returns whether a text is a SHA-256 digest, the only supported kind.
pub fn is_digest(text: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.strip_prefix("sha256:")
        .is_some_and(|digits| digits.len() == 64 && digits.bytes().all(hex))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn names_are_taken_apart() {
        let text = format!("localhost:5000/team/api:1.2@{DIGEST}");
        let image = Image::read(&text).expect("an image");
        assert_eq!(image.name, "localhost:5000/team/api");
        assert_eq!(
            (image.host, image.path),
            (Some("localhost:5000"), "team/api")
        );
        assert_eq!((image.tag, image.digest), (Some("1.2"), Some(DIGEST)));
        assert_eq!(image.repository(), "localhost:5000/team/api");
    }

    #[test]
    fn names_without_a_host_are_docker_hubs() {
        for (text, repository) in [
            ("python:3.13", "docker.io/library/python"),
            ("grafana/grafana", "docker.io/grafana/grafana"),
            ("docker.io/python:3.13", "docker.io/library/python"),
            ("index.docker.io/python", "docker.io/library/python"),
            (
                "index.docker.io/grafana/grafana",
                "docker.io/grafana/grafana",
            ),
            ("docker.io:443/python", "docker.io:443/python"),
            ("Registry.example/x", "Registry.example/x"),
        ] {
            assert_eq!(Image::read(text).expect(text).repository(), repository);
        }
    }

    #[test]
    fn other_texts_are_no_images() {
        for text in [
            "",
            ":tag",
            "a:",
            "a@",
            "a@sha256:12",
            "a@md5:0a",
            "A/b",
            "a/B",
            "h.io/UP",
            "h.io//a",
            "h.io/a/",
            "h.io/a:b c",
            "h.io/a:-b",
            "h.io/a_-b",
            "h.io/a..b",
            "h.io./a",
            "-h.io/a",
            "h.io:x/a",
            "h.io:99999/a",
            "h.io:+80/a",
            "user@h.io/a",
            "https://h.io/a",
            "h.io/${TAG}",
        ] {
            assert_eq!(Image::read(text), None, "{text}");
        }
        let long = format!("h.io/{}", "a".repeat(MAX_NAME + 1));
        assert_eq!(Image::read(&long), None);
        assert!(Image::read(&long[..long.len() - 1]).is_some());
    }

    proptest! {
        #[test]
        fn the_parts_make_up_the_text(text in "[a-zA-Z0-9./:@_-]{0,40}") {
            let image = Image::split(&text);
            let mut whole = match image.host {
                Some(host) => format!("{host}/{}", image.path),
                None => image.path.to_owned(),
            };
            prop_assert_eq!(&whole, image.name);
            for (sign, part) in [(':', image.tag), ('@', image.digest)] {
                if let Some(part) = part {
                    whole.push(sign);
                    whole.push_str(part);
                }
            }
            prop_assert_eq!(whole, text);
        }
    }
}
