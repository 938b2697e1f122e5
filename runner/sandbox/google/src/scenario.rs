//! Ways to break a sandbox: each one a data file, a change of the seed and the faults that pods
//! meet.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::seed::Seed;

/// The seed that every scenario starts from.
const HEALTHY: &str = include_str!("../seeds/healthy.json");

/// A way to break a sandbox.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Scenario {
    /// What it is asked for by, as `--sandbox=NAME`.
    pub name: String,
    /// What is broken, in one sentence.
    pub description: String,
    /// A JSON merge patch (RFC 7396) of the seed.
    pub merge: Value,
    /// A JSON patch (RFC 6902) of the seed, after the merge.
    pub patch: json_patch::Patch,
    /// Objects of the cluster beside those of the seed, as Kubernetes has them.
    pub objects: Vec<Value>,
    /// What pods meet, by the sandbox's Kubernetes; it is not read here.
    pub faults: Value,
}

/// Why a scenario makes no seed.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file is not a scenario.
    #[error("scenario file: {0}")]
    File(#[source] serde_json::Error),
    /// Its patch names something that the seed has not.
    #[error("scenario {name}: its patch does not fit the seed: {source}")]
    Patch {
        /// The scenario.
        name: String,
        /// What does not fit.
        source: json_patch::PatchError,
    },
    /// What comes out is not a seed.
    #[error("scenario {name}: what it makes of the seed is not one: {source}")]
    Seed {
        /// The scenario.
        name: String,
        /// What is wrong.
        source: serde_json::Error,
    },
}

impl Scenario {
    /// Reads a scenario's file (JSON).
    pub fn read(text: &str) -> Result<Self, ScenarioError> {
        serde_json::from_str(text).map_err(ScenarioError::File)
    }

    /// The scenario that ships under a name.
    pub fn named(name: &str) -> Option<Self> {
        scenarios().into_iter().find(|s| s.name == name)
    }

    /// What the sandbox starts as under it.
    pub fn seed(&self) -> Result<Seed, ScenarioError> {
        let not_a_seed = |source| ScenarioError::Seed {
            name: self.name.clone(),
            source,
        };
        let mut seed: Value = serde_json::from_str(HEALTHY).map_err(not_a_seed)?;
        if !self.merge.is_null() {
            json_patch::merge(&mut seed, &self.merge);
        }
        json_patch::patch(&mut seed, &self.patch).map_err(|source| ScenarioError::Patch {
            name: self.name.clone(),
            source,
        })?;
        serde_json::from_value(seed).map_err(not_a_seed)
    }
}

macro_rules! files {
    ($($name:literal),+ $(,)?) => { [$(include_str!(concat!("../scenarios/", $name, ".json"))),+] };
}

/// The scenarios that ship, `healthy` first, then in the order of the links that they cut.
pub fn scenarios() -> Vec<Scenario> {
    let healthy = Scenario {
        name: "healthy".to_owned(),
        description: "Everything is linked as it should be.".to_owned(),
        ..Scenario::default()
    };
    let files = files![
        "caller-rejected",
        "api-disabled",
        "registry-api-disabled",
        "no-workload-pool",
        "metadata-server-off",
        "metadata-server-fails",
        "node-account",
        "service-account-missing",
        "wrong-annotation",
        "annotation-misspelt",
        "no-annotation",
        "account-deleted",
        "account-disabled",
        "account-recreated",
        "no-binding",
        "ksa-ns-swapped",
        "project-number-in-member",
        "wrong-role",
        "exchange-unknown",
        "bucket-denied",
        "registry-denied",
        "repository-missing",
        "created-on-push",
        "perimeter",
        "not-uniform",
        "leftover-annotation",
        "image-pull-fails",
        "image-pull-heals",
        "out-of-memory",
        "evicted",
        "drained",
        "preempted",
        "node-lost",
        "garbage-collected",
        "shut-down",
        "deleted",
        "sidecar",
        "sidecar-fails",
        "no-room",
        "cpu-quota",
        "build-hangs",
        "log-lost",
        "no-delete",
        "any-bytes",
    ];
    let shipped = files.iter().map(|text| {
        Scenario::read(text).expect("the scenarios are part of the crate and read by its tests")
    });
    std::iter::once(healthy).chain(shipped).collect()
}

#[cfg(test)]
mod tests;
