//! The state that all the APIs share.

use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use serde_json::Value;
use sidestep_sandbox_base::{Watched, random_bytes};
use sidestep_sandbox_identity::{Identity, Project};
use tokio::sync::watch;

use crate::apis::container::endpoints;
use crate::clusters::Clusters;
use crate::images::{DockerImage, Images};
use crate::state::State;

/// The Google side of a sandbox. Cheap to clone; clones share one state.
#[derive(Clone)]
pub struct Cloud {
    shared: Arc<Shared>,
}

struct Shared {
    identity: Identity,
    state: Watched<State>,
    clusters: Arc<dyn Clusters>,
    token_uri: OnceLock<String>,
    images: OnceLock<Arc<dyn Images>>,
}

impl std::fmt::Debug for Cloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cloud").finish_non_exhaustive()
    }
}

impl Cloud {
    /// Creates a cloud from a seeded or loaded state.
    pub fn new(identity: Identity, state: State, clusters: Arc<dyn Clusters>) -> Self {
        Self {
            shared: Arc::new(Shared {
                identity,
                state: Watched::new(state),
                clusters,
                token_uri: OnceLock::new(),
                images: OnceLock::new(),
            }),
        }
    }

    /// Returns the principals, roles and policies.
    pub fn identity(&self) -> &Identity {
        &self.shared.identity
    }

    /// Returns the current state, to be persisted. The identity state is [`Identity::snapshot`].
    pub fn snapshot(&self) -> State {
        self.read(State::clone)
    }

    /// Returns a receiver of the number of changes; persist after each one.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.state.changes()
    }

    /// Returns whether a service, such as `storage.googleapis.com`, is enabled in a project.
    pub fn is_enabled(&self, project: &str, service: &str) -> bool {
        self.read(|state| {
            state
                .services
                .get(project)
                .is_some_and(|s| s.contains(service))
        })
    }

    /// Returns an Artifact Registry repository, as its API shows it.
    pub fn repository(&self, project: &str, location: &str, name: &str) -> Option<Value> {
        let name = format!("projects/{project}/locations/{location}/repositories/{name}");
        self.read(|state| state.repositories.get(&name).cloned())
    }

    /// Describes the API server of the Kubernetes cluster as that of a GKE cluster, as `gcloud
    /// container clusters get-credentials` reads it. The first call also gives the sandbox's own
    /// cluster a DNS endpoint, which accepts no requests until it is opened.
    pub fn describe_cluster(&self, cluster: &str) {
        let server = self.clusters().api_server();
        let authority = base64::engine::general_purpose::STANDARD.encode(server.authority);
        self.write(|state| {
            let Some(found) = state.clusters.get_mut(cluster) else {
                return;
            };
            if server.has_dns_endpoint {
                endpoints::complete(cluster, found, &server.endpoint);
            }
            found["endpoint"] = Value::from(server.endpoint);
            found["masterAuth"]["clusterCaCertificate"] = Value::from(authority);
            if let Some(version) = server.version {
                found["currentMasterVersion"] = Value::from(version);
            }
        });
    }

    /// Returns the project of the cluster whose DNS endpoint has this host name, if it is open.
    pub fn open_dns_endpoint(&self, host: &str) -> Option<String> {
        self.read(|state| {
            let mut clusters = state.clusters.iter();
            let found = clusters.find(|(_, cluster)| endpoints::is_open_at(cluster, host));
            found.and_then(|(name, _)| Some(name.split('/').nth(1)?.to_owned()))
        })
    }

    /// Sets the address of the token endpoint that new service-account keys name: the STS's address
    /// and `/token`. Only the first call has an effect; without one, keys name Google's.
    pub fn set_token_uri(&self, uri: &str) {
        self.shared.token_uri.get_or_init(|| uri.to_owned());
    }

    /// Sets the source of the images. Only the first call has an effect; without one there are no
    /// images.
    pub fn set_images(&self, images: Arc<dyn Images>) {
        self.shared.images.get_or_init(|| images);
    }

    pub(crate) fn images(&self, project: &str, location: &str, name: &str) -> Vec<DockerImage> {
        let images = self.shared.images.get();
        images.map_or_else(Vec::new, |i| i.images(project, location, name))
    }

    pub(crate) fn token_uri(&self) -> &str {
        let told = self.shared.token_uri.get();
        told.map_or("https://oauth2.googleapis.com/token", String::as_str)
    }

    pub(crate) fn clusters(&self) -> &dyn Clusters {
        &*self.shared.clusters
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        self.shared.state.read(look)
    }

    pub(crate) fn write<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        self.shared.state.write(change)
    }

    /// Returns the current time, RFC 3339.
    pub(crate) fn now(&self) -> String {
        self.identity().clock().now().to_string()
    }

    /// Returns the current time to the second, RFC 3339.
    pub(crate) fn now_in_seconds(&self) -> String {
        let now = self.identity().clock().now();
        now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// Returns a project by id or number. A project that does not exist gets that name and no
    /// number, so that it is rejected like one that the caller may not see.
    pub(crate) fn project(&self, id_or_number: &str) -> (String, Project) {
        self.identity().project(id_or_number).unwrap_or_else(|| {
            let nobody = Project {
                number: id_or_number.to_owned(),
                display_name: String::new(),
            };
            (id_or_number.to_owned(), nobody)
        })
    }

    /// Stores a finished operation for later reads.
    pub(crate) fn finished(&self, name: &str, operation: &Value) {
        self.write(|state| state.operations.insert(name.to_owned(), operation.clone()));
    }
}

/// Returns a random part of a name, in hexadecimal.
pub(crate) fn random_hex() -> String {
    format!("{:016x}", u64::from_be_bytes(random_bytes()))
}
