//! The initial state of a sandbox, in a form for people and merge patches: maps by name throughout,
//! and policies as role → members.

mod lay;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sidestep_sandbox_identity::{DenyPolicy, Role, State as IdentityState};

use crate::state::{Ci, FixedAnswer, State};

/// Members by role. A key `ROLE if EXPRESSION` is a role under a condition.
type Grants = BTreeMap<String, Vec<String>>;

/// The initial state of a sandbox.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Seed {
    /// The sandbox user's IAM member, such as `user:dev@example.com`.
    pub developer: String,
    /// Organisations by `organizations/N`, and folders by `folders/N`.
    pub folders: BTreeMap<String, SeedFolder>,
    /// Projects by id.
    pub projects: BTreeMap<String, SeedProject>,
    /// Google service accounts by address.
    pub service_accounts: BTreeMap<String, SeedAccount>,
    /// GKE clusters by `projects/P/locations/L/clusters/C`.
    pub clusters: BTreeMap<String, SeedCluster>,
    /// The number of policy writes that refuse a new service account as a member, as Google does at
    /// first.
    pub new_account_refusals: u32,
    /// Buckets by name. Identity stores their policies and projects, the storage server the rest.
    pub buckets: BTreeMap<String, SeedBucket>,
    /// Artifact Registry repositories by `projects/P/locations/L/repositories/R`.
    pub repositories: BTreeMap<String, SeedRepository>,
    /// Secrets by `projects/P/secrets/S`.
    pub secrets: BTreeMap<String, SeedSecret>,
    /// Custom roles by `projects/P/roles/R`.
    pub custom_roles: BTreeMap<String, Role>,
    /// Workload identity pools and providers by resource name, as IAM shows them.
    pub pools: BTreeMap<String, Value>,
    /// CI systems by name: `github`, `gitlab`.
    pub ci: BTreeMap<String, Ci>,
    /// Fixed answers of an API to every call, by the API's host name.
    pub refusals: BTreeMap<String, FixedAnswer>,
    /// Kubernetes service accounts by namespace and name; the cluster creates them.
    pub kubernetes: BTreeMap<String, BTreeMap<String, SeedServiceAccount>>,
}

/// A project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedProject {
    /// The project's number, decimal.
    pub number: String,
    /// The project's display name.
    pub display_name: String,
    /// The project's services; false is the same as an absent service.
    pub services: BTreeMap<String, bool>,
    /// The project's policy: members by role.
    pub policy: Grants,
    /// The folder or organisation above the project.
    pub parent: Option<String>,
    /// The project's deny policies by id.
    pub deny_policies: BTreeMap<String, DenyPolicy>,
}

/// A folder or an organisation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedFolder {
    /// The display name.
    pub display_name: String,
    /// The folder or organisation above a folder.
    pub parent: Option<String>,
    /// The policy: members by role.
    pub policy: Grants,
    /// The deny policies by id.
    pub deny_policies: BTreeMap<String, DenyPolicy>,
}

/// A Google service account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedAccount {
    /// The project that owns it.
    pub project: String,
    /// The account's 21-digit id.
    pub unique_id: String,
    /// The account's display name.
    pub display_name: String,
    /// Whether the account is disabled.
    pub disabled: bool,
    /// Whether the account was deleted; policies then name it as deleted.
    pub deleted: bool,
    /// The account's policy: members by role.
    pub policy: Grants,
    /// The account's user-managed keys by id, as IAM lists them.
    pub keys: BTreeMap<String, Value>,
}

/// A GKE cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedCluster {
    /// The cluster's workload pool; absent if Workload Identity is off.
    pub workload_pool: Option<String>,
    /// Whether the cluster is an Autopilot cluster.
    pub autopilot: bool,
    /// The cluster's Kubernetes version.
    pub version: String,
    /// The cluster's node pools by name.
    pub node_pools: BTreeMap<String, SeedNodePool>,
    /// More fields of the cluster, in GKE's form.
    pub more: BTreeMap<String, Value>,
}

/// A node pool.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedNodePool {
    /// `GKE_METADATA` or `GCE_METADATA`; absent means the latter as an unset field.
    pub metadata: Option<String>,
    /// The nodes' service account: an address, or `default` for Compute Engine's.
    pub service_account: String,
    /// The nodes' machine type.
    pub machine_type: String,
}

/// A bucket.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedBucket {
    /// The project of the bucket.
    pub project: String,
    /// The bucket's location, such as `EUROPE-WEST1`.
    pub location: String,
    /// Whether uniform bucket-level access is on.
    pub uniform_bucket_level_access: bool,
    /// The bucket's policy: members by role.
    pub policy: Grants,
}

/// An Artifact Registry repository.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedRepository {
    /// The repository's description.
    pub description: String,
    /// The repository's policy: members by role.
    pub policy: Grants,
}

/// A secret. Its versions are texts; the first is version 1.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedSecret {
    /// The payloads.
    pub versions: Vec<String>,
    /// The secret's policy: members by role.
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
    /// The account's annotations.
    pub annotations: BTreeMap<String, String>,
}

impl Seed {
    /// Returns the initial state of identity.
    pub fn identity(&self) -> IdentityState {
        lay::identity(self)
    }

    /// Returns the initial state of Google's side; `now` is the creation time of everything, RFC
    /// 3339.
    pub fn state(&self, now: &str) -> State {
        lay::state(self, now)
    }

    /// Returns the workload pools of the clusters.
    fn workload_pools(&self) -> BTreeSet<String> {
        self.clusters
            .values()
            .filter_map(|c| c.workload_pool.clone())
            .collect()
    }
}
