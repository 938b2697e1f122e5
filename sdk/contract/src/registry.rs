//! Hosts of registries, with one table of Google's hosts.

/// The host in the names of Docker Hub images.
pub const DOCKER_HUB: &str = "docker.io";

/// The hosts of Container Registry and the location of each. Artifact Registry serves them from a
/// repository with the same name as the host
/// (<https://cloud.google.com/artifact-registry/docs/transition/setup-gcr-repo>).
const CONTAINER_REGISTRY: [(&str, &str); 4] = [
    ("gcr.io", "us"),
    ("us.gcr.io", "us"),
    ("eu.gcr.io", "europe"),
    ("asia.gcr.io", "asia"),
];

/// The suffix after the location in Artifact Registry's hosts for container images
/// (<https://cloud.google.com/artifact-registry/docs/docker/names>).
const ARTIFACT_REGISTRY: &str = "-docker.pkg.dev";

/// A host of Artifact Registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Google<'a> {
    /// `LOCATION-docker.pkg.dev`: paths begin with project and repository.
    Location(&'a str),
    /// `gcr.io` and similar hosts: paths begin with the project, and the host implies the
    /// repository.
    ContainerRegistry {
        /// The location, such as `us`.
        location: &'static str,
        /// The repository's name.
        repository: &'static str,
    },
}

impl<'a> Google<'a> {
    /// Parses a host without a port. Returns `None` if the host is not a Google registry.
    pub fn read(host: &'a str) -> Option<Self> {
        if let Some((repository, location)) =
            CONTAINER_REGISTRY.iter().find(|(name, _)| *name == host)
        {
            return Some(Self::ContainerRegistry {
                location,
                repository,
            });
        }
        let location = host.strip_suffix(ARTIFACT_REGISTRY)?;
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_location = !location.is_empty() && location.bytes().all(plain);
        is_location.then_some(Self::Location(location))
    }

    /// Returns the location, such as `europe` or `us-central1`.
    pub fn location(self) -> &'a str {
        match self {
            Self::Location(location) => location,
            Self::ContainerRegistry { location, .. } => location,
        }
    }
}

/// Returns whether a host is a Google registry. Those hosts accept and receive Google access
/// tokens.
pub fn is_googles(host: &str) -> bool {
    Google::read(host).is_some()
}

/// Returns whether an Artifact Registry repository replaces a Container Registry host, by its name.
pub fn is_container_registry(repository: &str) -> bool {
    CONTAINER_REGISTRY
        .iter()
        .any(|(host, _)| *host == repository)
}

/// Returns the host that serves a location's container images.
pub fn host_of(location: &str) -> String {
    format!("{location}{ARTIFACT_REGISTRY}")
}

/// Returns whether a host in the name of an image means Docker Hub.
pub fn is_docker_hub(host: &str) -> bool {
    matches!(host, DOCKER_HUB | "index.docker.io")
}

/// Returns the host that serves images with this host in their names. It differs for Docker Hub.
pub fn serving(host: &str) -> &str {
    if host == DOCKER_HUB {
        "registry-1.docker.io"
    } else {
        host
    }
}

/// Returns the key of a host in Docker's configuration file. Docker Hub has kept the address of a
/// former protocol there.
pub fn login_key(host: &str) -> &str {
    if is_docker_hub(host) {
        "https://index.docker.io/v1/"
    } else {
        host
    }
}

/// Returns whether a host, with its port if it has one, is this machine itself. Clients reach a
/// registry there without TLS (go-containerregistry, `name.Registry.Scheme`).
pub fn is_this_machine(host: &str) -> bool {
    let name = without_port(host);
    if let Some(address) = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return address
            .parse::<core::net::Ipv6Addr>()
            .is_ok_and(|address| address.is_loopback());
    }
    name == "localhost"
        || name.ends_with(".localhost")
        || name
            .parse::<core::net::Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Returns a host without its port.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_names_and_addresses() {
        for host in [
            "localhost",
            "localhost:5000",
            "a.localhost:5000",
            "127.0.0.1:5000",
            "127.1.2.3",
            "[::1]:5000",
            "[::1]",
        ] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "localhost.example.com",
            "notlocalhost",
            "127.0.0.1.example.com:5000",
            "10.0.0.1:5000",
            "[::2]:5000",
            "ghcr.io",
            "",
        ] {
            assert!(!is_this_machine(host), "{host}");
        }
    }

    #[test]
    fn only_googles_registries_are_googles() {
        for (host, location) in [
            ("europe-docker.pkg.dev", "europe"),
            ("us-west1-docker.pkg.dev", "us-west1"),
            ("gcr.io", "us"),
            ("us.gcr.io", "us"),
            ("eu.gcr.io", "europe"),
            ("asia.gcr.io", "asia"),
        ] {
            assert_eq!(Google::read(host).expect(host).location(), location);
        }
        for host in [
            "",
            "-docker.pkg.dev",
            "pkg.dev",
            "docker.pkg.dev.example",
            "a.b-docker.pkg.dev",
            "Europe-docker.pkg.dev",
            "europe-docker.pkg.dev:443",
            "evilgcr.io",
            "k8s.gcr.io",
            "gcr.io.example.com",
            "ghcr.io",
            "docker.io",
        ] {
            assert!(!is_googles(host), "{host}");
        }
    }

    #[test]
    fn a_locations_host_is_read_back() {
        let host = host_of("europe");
        assert_eq!(Google::read(&host), Some(Google::Location("europe")));
        assert!(is_container_registry("eu.gcr.io") && !is_container_registry("images"));
    }
}
