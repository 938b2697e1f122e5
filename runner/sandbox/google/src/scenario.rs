//! Scenarios: ways to break a sandbox. Each is a data file with a change of the seed and the faults
//! of pods.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::seed::Seed;

/// The seed that every scenario starts from.
const HEALTHY: &str = include_str!("../seeds/healthy.json");

/// A way to break a sandbox.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Scenario {
    /// The scenario's name, as in `--sandbox=NAME`.
    pub name: String,
    /// A description of the fault, in one sentence.
    pub description: String,
    /// A JSON merge patch (RFC 7396) of the seed.
    pub merge: Value,
    /// A JSON patch (RFC 6902) of the seed, after the merge.
    pub patch: json_patch::Patch,
    /// Additional Kubernetes objects, beside those of the seed.
    pub objects: Vec<Value>,
    /// Faults of pods, for the sandbox's Kubernetes; they are not read here.
    pub faults: Value,
    /// The CI job that cannot get in, if the scenario is about one.
    pub job: Option<OfJob>,
    /// The link of the workload's identity that is broken, if one is.
    pub workload: Option<OfWorkload>,
}

/// The link of a workload's identity that a scenario breaks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct OfWorkload {
    /// The broken link, 1 to 16; 0 is the runner's own credential.
    pub link: u8,
    /// The code of the failure; empty if `wi-verify` cannot see it, because only a pod shows it.
    pub code: String,
    /// Google's or Kubernetes' answer, or its beginning; empty if the link shows in what is read.
    pub says: String,
    /// The source of the answer, or `wording not confirmed`.
    pub source: String,
}

/// The link of a CI job that a scenario breaks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct OfJob {
    /// The CI system of the job.
    pub ci: String,
    /// The broken link, C1 to C6.
    pub link: String,
    /// The code of the failure.
    pub code: String,
    /// Google's answer, or its beginning; empty if Google is not asked.
    pub says: String,
    /// The source of the answer, or `wording not confirmed`.
    pub source: String,
}

/// The reason why a scenario does not give a seed.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file is not a scenario.
    #[error("scenario file: {0}")]
    File(#[source] serde_json::Error),
    /// The patch names something that is not in the seed.
    #[error("scenario {name}: its patch can't be applied to the seed: {source}")]
    Patch {
        /// The scenario.
        name: String,
        /// The error of the patch.
        source: json_patch::PatchError,
    },
    /// The result is not a valid seed.
    #[error("scenario {name}: the patched seed is not valid: {source}")]
    Seed {
        /// The scenario.
        name: String,
        /// The error of the parser.
        source: serde_json::Error,
    },
}

impl Scenario {
    /// Reads a scenario file (JSON).
    pub fn read(text: &str) -> Result<Self, ScenarioError> {
        serde_json::from_str(text).map_err(ScenarioError::File)
    }

    /// Returns the built-in scenario of that name.
    pub fn named(name: &str) -> Option<Self> {
        scenarios().into_iter().find(|s| s.name == name)
    }

    /// Returns whether the scenario is about the sandbox's own Kubernetes: its objects, service
    /// accounts or pods, or IAM's permissions on them, which another cluster does not know. A
    /// scenario whose seed is not valid is not.
    pub fn needs_own_cluster(&self) -> bool {
        let (Ok(mine), Ok(healthy)) = (self.seed(), Self::default().seed()) else {
            return false;
        };
        let of_pods = |permission: &String| permission.starts_with("container.pods.");
        let mut roles = mine.custom_roles.values();
        mine.kubernetes != healthy.kubernetes
            || roles.any(|role| role.permissions.iter().any(of_pods))
            || !self.objects.is_empty()
            || !self.faults.is_null()
    }

    /// Returns the seed with the scenario's changes.
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

/// Returns the built-in scenarios: `healthy` first, then in the order of the links that they break.
pub fn scenarios() -> Vec<Scenario> {
    let healthy = Scenario {
        name: "healthy".to_owned(),
        description: "All links of the workload's identity are correct.".to_owned(),
        ..Scenario::default()
    };
    let files = files![
        "caller-rejected",
        "job-without-id-token",
        "job-without-id-token-gitlab",
        "job-provider-by-project-id",
        "job-pool-in-place-of-provider",
        "job-provider-missing",
        "job-provider-disabled",
        "job-provider-deleted",
        "job-pool-disabled",
        "job-pool-deleted",
        "job-of-github-enterprise",
        "job-issuer-unreachable",
        "job-audience",
        "job-on-another-branch",
        "job-condition-in-another-case",
        "job-condition-name-for-id",
        "job-condition-unmapped",
        "job-unprotected-ref",
        "job-subject-too-long",
        "job-without-binding",
        "job-subject-with-ids",
        "job-subject-without-ids",
        "job-with-environment",
        "job-binding-id-for-name",
        "job-binding-name-for-id",
        "job-binding-in-another-case",
        "job-binding-unmapped",
        "job-binding-by-project-id",
        "job-binding-other-role",
        "job-cluster-denied",
        "job-namespace-denied",
        "api-disabled",
        "registry-api-disabled",
        "no-workload-pool",
        "metadata-server-off",
        "metadata-server-fails",
        "metadata-server-late",
        "node-account",
        "service-account-missing",
        "wrong-annotation",
        "annotation-misspelt",
        "no-annotation",
        "account-deleted",
        "account-disabled",
        "account-recreated",
        "new-account-unknown",
        "no-binding",
        "ksa-ns-swapped",
        "project-number-in-member",
        "wrong-role",
        "pool-of-another-project",
        "binding-for-another",
        "binding-by-project-id",
        "swapped-in-project",
        "binding-expired",
        "binding-undecided",
        "deny-policy-on-tokens",
        "deny-policy-unread",
        "exchange-unknown",
        "bucket-denied",
        "bucket-expired",
        "registry-denied",
        "deny-policy",
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
