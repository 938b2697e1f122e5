//! Clusters of GKE. Grant key: `gke`.

use crate::Result;
use crate::bindings::sidestep::gcp::gke;
use crate::error::{each, only};

pub use gke::{Cluster as ClusterFacts, FleetMembership, Label, NodePool, Taint};

/// Returns facts about a cluster (`projects/P/locations/L/clusters/C`).
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::gcp::gke;
///
/// # fn main() -> sidestep::Result<()> {
/// let facts = gke::cluster("projects/demo/locations/europe-west1/clusters/ci")?;
/// if facts.workload_pool.is_none() {
///     sidestep::warn!("the cluster has no workload identity pool");
/// }
/// # Ok(())
/// # }
/// ```
pub fn cluster(name: impl Into<String>) -> Result<ClusterFacts> {
    only(gke::clusters(&[name.into()]))
}

/// Returns facts about clusters, in the order of the names.
///
/// # Examples
///
/// ```no_run
/// use sidestep::gcp::gke;
///
/// # fn main() -> sidestep::Result<()> {
/// let names = ["projects/demo/locations/europe-west1/clusters/ci".to_owned()];
/// for cluster in gke::clusters(&names) {
///     sidestep::info!("{}", cluster?.status);
/// }
/// # Ok(())
/// # }
/// ```
pub fn clusters(names: &[String]) -> Vec<Result<ClusterFacts>> {
    each(gke::clusters(names))
}

/// Returns a cluster's node pools.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::gcp::gke;
///
/// # fn main() -> sidestep::Result<()> {
/// for pool in gke::node_pools("projects/demo/locations/europe-west1/clusters/ci")? {
///     sidestep::info!("{}: {:?}", pool.name, pool.metadata_mode);
/// }
/// # Ok(())
/// # }
/// ```
pub fn node_pools(cluster: impl Into<String>) -> Result<Vec<NodePool>> {
    only(gke::node_pools(&[cluster.into()]))
}
