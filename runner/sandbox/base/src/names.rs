//! Google's host names that the sandbox serves: the one table for its certificates, its routing,
//! and the pods and nodes that reach it under these names.

/// The server behind a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// An API of the control plane.
    Apis,
    /// Cloud Storage.
    Storage,
    /// The image registry.
    Registry,
    /// The API server of a cluster, at its DNS endpoint.
    Cluster,
}

/// The domains, each with the server of the names below it. Authorities certify only these.
pub const DOMAINS: [(&str, Server); 4] = [
    ("googleapis.com", Server::Apis),
    ("pkg.dev", Server::Registry),
    ("gcr.io", Server::Registry),
    ("gke.goog", Server::Cluster),
];

/// The names in certificates. A wildcard covers one label (RFC 6125, section 6.4.3).
pub const CERTIFIED: [&str; 7] = [
    "*.googleapis.com",
    "googleapis.com",
    "*.storage.googleapis.com",
    "*.pkg.dev",
    "gcr.io",
    "*.gcr.io",
    "*.europe-west1.gke.goog",
];

/// Cloud Storage's name. Below it, each bucket has one.
pub const STORAGE: &str = "storage.googleapis.com";

/// The address and the names of the metadata server (compute metadata documentation, "Query VM
/// metadata").
pub const METADATA_ADDRESS: &str = "169.254.169.254";
/// See [`METADATA_ADDRESS`].
pub const METADATA: [&str; 2] = ["metadata.google.internal", "metadata"];

/// The APIs' names, besides Cloud Storage's.
const APIS: [&str; 11] = [
    "artifactregistry.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "container.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "oauth2.googleapis.com",
    "secretmanager.googleapis.com",
    "securetoken.googleapis.com",
    "serviceusage.googleapis.com",
    "sts.googleapis.com",
    "www.googleapis.com",
];

/// Container Registry's names (Artifact Registry documentation, "Transition from Container
/// Registry").
const CONTAINER_REGISTRY: [&str; 4] = ["gcr.io", "us.gcr.io", "eu.gcr.io", "asia.gcr.io"];

/// Artifact Registry's locations (its documentation, "Repository locations").
const LOCATIONS: [&str; 46] = [
    "africa-south1",
    "asia",
    "asia-east1",
    "asia-east2",
    "asia-northeast1",
    "asia-northeast2",
    "asia-northeast3",
    "asia-south1",
    "asia-south2",
    "asia-southeast1",
    "asia-southeast2",
    "asia-southeast3",
    "australia-southeast1",
    "australia-southeast2",
    "europe",
    "europe-central2",
    "europe-north1",
    "europe-north2",
    "europe-southwest1",
    "europe-west1",
    "europe-west10",
    "europe-west12",
    "europe-west2",
    "europe-west3",
    "europe-west4",
    "europe-west6",
    "europe-west8",
    "europe-west9",
    "me-central1",
    "me-central2",
    "me-west1",
    "northamerica-northeast1",
    "northamerica-northeast2",
    "northamerica-south1",
    "southamerica-east1",
    "southamerica-west1",
    "us",
    "us-central1",
    "us-east1",
    "us-east4",
    "us-east5",
    "us-south1",
    "us-west1",
    "us-west2",
    "us-west3",
    "us-west4",
];

/// Returns whether the sandbox serves a host name as one of Google's.
pub fn is_googles(host: &str) -> bool {
    server(host).is_some()
}

/// Returns the server behind one of Google's host names.
pub fn server(host: &str) -> Option<Server> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if is_within(&host, STORAGE) {
        return Some(Server::Storage);
    }
    let of_domain = DOMAINS.iter().find(|(domain, _)| is_within(&host, domain));
    of_domain.map(|(_, server)| *server)
}

/// Returns the names of the registries, for files without wildcards.
pub fn registries() -> Vec<String> {
    let of_locations = LOCATIONS
        .iter()
        .map(|location| format!("{location}-docker.pkg.dev"));
    let of_container_registry = CONTAINER_REGISTRY.iter().map(|name| (*name).to_owned());
    of_container_registry.chain(of_locations).collect()
}

/// Returns every name that is not a bucket's own, for files without wildcards such as `/etc/hosts`.
pub fn all() -> Vec<String> {
    let apis = APIS.iter().chain([&STORAGE]).map(|name| (*name).to_owned());
    apis.chain(registries()).collect()
}

/// Returns whether a host is a domain or below it: only whole labels count.
fn is_within(host: &str, domain: &str) -> bool {
    let rest = host.strip_suffix(domain);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn only_whole_labels_count() {
        for name in [
            "storage.googleapis.com",
            "Europe-Docker.pkg.dev",
            "gcr.io",
            "eu.gcr.io.",
        ] {
            assert!(is_googles(name), "{name}");
        }
        for name in [
            "example.com",
            "evilgcr.io",
            "gcr.io.example.com",
            "127.0.0.1",
            "",
        ] {
            assert!(!is_googles(name), "{name}");
        }
    }

    #[test]
    fn each_name_has_its_server() {
        for (host, expected) in [
            ("iam.googleapis.com", Server::Apis),
            ("storage.googleapis.com", Server::Storage),
            ("demo.storage.googleapis.com", Server::Storage),
            ("mystorage.googleapis.com", Server::Apis),
            ("europe-docker.pkg.dev", Server::Registry),
            ("eu.gcr.io", Server::Registry),
            ("gke-1.europe-west1.gke.goog", Server::Cluster),
        ] {
            assert_eq!(server(host), Some(expected), "{host}");
        }
    }

    #[test]
    fn each_listed_name_is_served_and_certified_once() {
        let names = all();
        let distinct: BTreeSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        for name in &names {
            assert!(is_googles(name), "{name}");
            let (_, parent) = name.split_once('.').unwrap();
            let wildcard = format!("*.{parent}");
            let certified = CERTIFIED
                .iter()
                .any(|entry| *entry == name || *entry == wildcard);
            assert!(certified, "{name}");
        }
        assert!(registries().contains(&"europe-docker.pkg.dev".to_owned()));
    }
}
