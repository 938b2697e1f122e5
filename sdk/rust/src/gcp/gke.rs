//! Clusters of GKE. Grant key: `gke`.

use crate::Result;
use crate::bindings::sidestep::gcp::gke;
use crate::error::{each, only};

pub use gke::{Cluster as ClusterFacts, FleetMembership, Label, NodePool, Taint};

/// Returns facts about a cluster (`projects/P/locations/L/clusters/C`).
pub fn cluster(name: impl Into<String>) -> Result<ClusterFacts> {
    only(gke::clusters(&[name.into()]))
}

/// Returns facts about clusters, in the order of the names.
pub fn clusters(names: &[String]) -> Vec<Result<ClusterFacts>> {
    each(gke::clusters(names))
}

/// Returns a cluster's node pools.
pub fn node_pools(cluster: impl Into<String>) -> Result<Vec<NodePool>> {
    only(gke::node_pools(&[cluster.into()]))
}
