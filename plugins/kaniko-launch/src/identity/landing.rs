//! The nodes on which a build can be scheduled, and whether it has its own identity there.

use sidestep::gcp::gke::NodePool;

use super::Identity;
use crate::inputs::Inputs;

/// The metadata mode that serves workload identities.
pub(super) const SERVES: &str = "GKE_METADATA";

impl Identity<'_> {
    /// Returns the node pools on which the build can be scheduled.
    pub(super) fn landing(&self) -> impl Iterator<Item = &NodePool> {
        let pools = self.facts().pools.iter();
        pools.filter(|pool| takes(pool, self.inputs))
    }

    /// Returns those of them on which the build would run as the node's account.
    pub(super) fn unserved(&self) -> Vec<&NodePool> {
        let Some(cluster) = &self.facts().cluster else {
            return Vec::new();
        };
        if cluster.autopilot {
            return Vec::new();
        }
        let served = |pool: &NodePool| {
            cluster.workload_pool.is_some() && pool.metadata_mode.as_deref() == Some(SERVES)
        };
        self.landing().filter(|pool| !served(pool)).collect()
    }
}

/// Returns whether a pool's nodes accept the build, as far as the pool's data shows.
fn takes(pool: &NodePool, inputs: &Inputs) -> bool {
    let tainted = pool
        .taints
        .iter()
        .any(|taint| taint.effect != "PREFER_NO_SCHEDULE");
    !tainted
        && inputs.node_selector.iter().all(|(key, value)| {
            if key == "cloud.google.com/gke-nodepool" {
                return *value == pool.name;
            }
            let label = pool.labels.iter().find(|label| label.key == *key);
            // Labels with a domain come from Google or Kubernetes, and the pool does not list them.
            label.map_or(key.contains('/'), |label| label.value == *value)
        })
}
