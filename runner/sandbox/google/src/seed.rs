//! What a sandbox starts as, in a form that people and merge patches can read: maps by name
//! throughout, and policies as role → members.

mod lay;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sidestep_sandbox_identity::{Role, State as IdentityState};

use crate::state::{Refusal, State};

/// Members by role.
type Grants = BTreeMap<String, Vec<String>>;

/// A sandbox's beginning.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Seed {
    /// The IAM member that the user of the sandbox is, such as `user:dev@example.com`.
    pub developer: String,
    /// Projects by id.
    pub projects: BTreeMap<String, SeedProject>,
    /// Google service accounts by address.
    pub service_accounts: BTreeMap<String, SeedAccount>,
    /// GKE clusters by `projects/P/locations/L/clusters/C`.
    pub clusters: BTreeMap<String, SeedCluster>,
    /// Buckets by name. Their policies and projects are identity's, the rest is the storage
    /// server's.
    pub buckets: BTreeMap<String, SeedBucket>,
    /// Artifact Registry repositories by `projects/P/locations/L/repositories/R`.
    pub repositories: BTreeMap<String, SeedRepository>,
    /// Secrets by `projects/P/secrets/S`.
    pub secrets: BTreeMap<String, SeedSecret>,
    /// Custom roles by `projects/P/roles/R`.
    pub custom_roles: BTreeMap<String, Role>,
    /// Workload identity pools and providers by resource name, as IAM shows them.
    pub pools: BTreeMap<String, Value>,
    /// Answers that an API gives to every call, by the API's host name.
    pub refusals: BTreeMap<String, Refusal>,
    /// Kubernetes service accounts by namespace and name; they are the cluster's to make.
    pub kubernetes: BTreeMap<String, BTreeMap<String, SeedServiceAccount>>,
}

/// A project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedProject {
    /// Its number, decimal.
    pub number: String,
    /// What people call it.
    pub display_name: String,
    /// Which services are enabled; false is the same as leaving it out.
    pub services: BTreeMap<String, bool>,
    /// Who has which role on it.
    pub policy: Grants,
}

/// A Google service account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedAccount {
    /// The project that owns it.
    pub project: String,
    /// Its 21-digit id.
    pub unique_id: String,
    /// What people call it.
    pub display_name: String,
    /// Whether it is disabled.
    pub disabled: bool,
    /// Whether it was deleted; policies then name it as deleted.
    pub deleted: bool,
    /// Who has which role on it.
    pub policy: Grants,
    /// Its user-managed keys, as IAM lists them, by id.
    pub keys: BTreeMap<String, Value>,
}

/// A GKE cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedCluster {
    /// Its workload pool; absent where Workload Identity is off.
    pub workload_pool: Option<String>,
    /// Whether it is an Autopilot cluster.
    pub autopilot: bool,
    /// Its Kubernetes version.
    pub version: String,
    /// Its node pools by name.
    pub node_pools: BTreeMap<String, SeedNodePool>,
    /// More fields of the cluster, as GKE shows them.
    pub more: BTreeMap<String, Value>,
}

/// A node pool.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedNodePool {
    /// `GKE_METADATA` or `GCE_METADATA`; absent is the latter, unsaid.
    pub metadata: Option<String>,
    /// The nodes' service account: an address, or `default` for Compute Engine's.
    pub service_account: String,
    /// Their machine type.
    pub machine_type: String,
}

/// A bucket.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedBucket {
    /// The project that it lies in.
    pub project: String,
    /// Its location, such as `EUROPE-WEST1`.
    pub location: String,
    /// Whether uniform bucket-level access is on.
    pub uniform_bucket_level_access: bool,
    /// Who has which role on it.
    pub policy: Grants,
}

/// An Artifact Registry repository.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedRepository {
    /// What it is for.
    pub description: String,
    /// Who has which role on it.
    pub policy: Grants,
}

/// A secret; its versions are texts, the first is version 1.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedSecret {
    /// The payloads.
    pub versions: Vec<String>,
    /// Who has which role on it.
    pub policy: Grants,
}

impl std::fmt::Debug for SeedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SeedSecret")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// A Kubernetes service account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedServiceAccount {
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

impl Seed {
    /// The state that identity starts with.
    pub fn identity(&self) -> IdentityState {
        lay::identity(self)
    }

    /// The state that Google's side starts with; `now` is when everything was made, RFC 3339.
    pub fn state(&self, now: &str) -> State {
        lay::state(self, now)
    }

    /// The workload pools of its clusters.
    fn workload_pools(&self) -> BTreeSet<String> {
        self.clusters
            .values()
            .filter_map(|c| c.workload_pool.clone())
            .collect()
    }
}
