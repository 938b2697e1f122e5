/// An image's name, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// `europe-docker.pkg.dev`, `index.docker.io`
    pub(crate) registry: String,
    /// `project/repository/image`, `library/node`
    pub(crate) repository: String,
    /// A tag, or a digest with its algorithm.
    pub(crate) version: String,
    /// The name as given.
    pub(crate) given: String,
}

const DOCKER_HUB: &str = "index.docker.io";

impl Reference {
    /// Parses a name like Docker: without a registry it refers to Docker Hub.
    pub(crate) fn parse(given: &str) -> Result<Self, String> {
        let (rest, digest) = match given.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (given, None),
        };
        let (rest, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (rest, "latest"),
        };
        let is_host = |part: &str| part.contains(['.', ':']) || part == "localhost";
        let (registry, repository) = match rest.split_once('/') {
            Some((first, repository)) if is_host(first) => (first, repository.to_owned()),
            Some(_) => (DOCKER_HUB, rest.to_owned()),
            None => (DOCKER_HUB, format!("library/{rest}")),
        };
        let registry = if registry == "docker.io" {
            DOCKER_HUB
        } else {
            registry
        };
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-./".contains(c);
        let parts_are_full = repository
            .split('/')
            .all(|part| !part.is_empty() && part != ".." && part != ".");
        let length = rest.split_once('/').filter(|(first, _)| is_host(first));
        let length = length.map_or(rest, |(_, path)| path).chars().count();
        if !(2..=255).contains(&length) {
            return Err(format!(
                "repository must be between 2 and 255 characters in length: {}",
                repository.trim_start_matches("library/")
            ));
        }
        if !repository.chars().all(allowed) || !parts_are_full {
            return Err(format!(
                "repository can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-./`: {repository}"
            ));
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if tag.is_empty() || tag.len() > 128 || !tag.chars().all(allowed) {
            return Err(format!(
                "tag can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-.ABCDEFGHIJKLMNOPQRSTUVWXYZ`: {tag}"
            ));
        }
        if let Some(digest) = digest {
            let hex = digest.strip_prefix("sha256:").unwrap_or_default();
            if hex.len() != 64 || !hex.chars().all(|c| c.is_ascii_hexdigit()) {
                return Err(format!("unsupported digest algorithm: {digest}"));
            }
        }
        Ok(Self {
            registry: registry.to_owned(),
            repository,
            version: digest.unwrap_or(tag).to_owned(),
            given: given.to_owned(),
        })
    }

    /// Returns `REGISTRY/REPOSITORY`.
    pub(crate) fn context(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// Returns whether Google's registries serve the image. These get Google's credentials, and the
    /// sandbox replaces them.
    pub(crate) fn is_googles(&self) -> bool {
        let host = self.registry.split(':').next().unwrap_or_default();
        host == "gcr.io" || host.ends_with(".gcr.io") || host.ends_with(".pkg.dev")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_apart_like_dockers() {
        let parse = |name: &str| {
            let parsed = Reference::parse(name).unwrap();
            (parsed.context(), parsed.version, parsed.given == name)
        };
        let digest = format!("sha256:{}", "a".repeat(64));
        assert_eq!(
            parse("node:20"),
            ("index.docker.io/library/node".into(), "20".into(), true)
        );
        assert_eq!(
            parse("docker.io/a/b"),
            ("index.docker.io/a/b".into(), "latest".into(), true)
        );
        assert_eq!(
            parse("localhost:5000/ab"),
            ("localhost:5000/ab".into(), "latest".into(), true)
        );
        assert_eq!(
            parse(&format!("gcr.io/p/i:t@{digest}")),
            ("gcr.io/p/i".into(), digest, true)
        );
        for bad in [
            "Upper",
            "a:b c",
            "gcr.io/a/../b",
            "a@sha256:12",
            "gcr.io//a",
            "gcr.io/a",
            "",
        ] {
            assert!(Reference::parse(bad).is_err(), "{bad}");
        }
        assert!(
            Reference::parse("europe-docker.pkg.dev/p/r/i")
                .unwrap()
                .is_googles()
        );
        assert!(
            !Reference::parse("pkg.dev.evil.example/p/r/i")
                .unwrap()
                .is_googles()
        );
    }
}
