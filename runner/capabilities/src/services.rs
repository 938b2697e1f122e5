use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Secret;
use crate::google::ControlPlane;
use crate::http_client::HttpClient;
use crate::identity::Identity;
use crate::kubernetes::Clusters;
use crate::registry::Registry;
use crate::storage::Storage;
use crate::workspace::Workspace;

/// What the capabilities of a run work with: one field a capability that needs a client or a
/// place. A field is absent where the run has no use for it.
#[derive(Debug, Default)]
pub struct Services {
    /// The folder that the pipeline runs on.
    pub workspace: Option<Workspace>,
    /// Cloud Storage.
    pub storage: Option<Arc<Storage>>,
    /// Google Cloud's control plane.
    pub google: Option<ControlPlane>,
    /// Image registries.
    pub registry: Option<Arc<Registry>>,
    /// The clusters.
    pub clusters: Option<Arc<Clusters>>,
    /// Whose identity can be proven.
    pub identity: Option<Arc<Identity>>,
    /// Requests of plugins' own.
    pub http: Option<Arc<HttpClient>>,
    /// The pipeline's secrets by name. The masks know them from the start.
    pub secrets: BTreeMap<String, Secret>,
}

impl Services {
    pub(crate) fn storage(&self) -> wasmtime::Result<Arc<Storage>> {
        there(self.storage.as_ref(), "Cloud Storage")
    }

    pub(crate) fn registry(&self) -> wasmtime::Result<Arc<Registry>> {
        there(self.registry.as_ref(), "registries")
    }

    pub(crate) fn google(&self) -> wasmtime::Result<ControlPlane> {
        there(self.google.as_ref(), "Google Cloud")
    }

    pub(crate) fn clusters(&self) -> wasmtime::Result<Arc<Clusters>> {
        there(self.clusters.as_ref(), "clusters")
    }
}

/// The client, which a run has whose plugins ask for it.
fn there<C: Clone>(client: Option<&C>, of: &str) -> wasmtime::Result<C> {
    client
        .cloned()
        .ok_or_else(|| wasmtime::Error::msg(format!("this run has no client for {of}")))
}
