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
