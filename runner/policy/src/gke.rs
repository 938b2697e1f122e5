//! The scopes of calls to GKE's own API.

crate::lookup::lookup! {
    Gke called by GkeCall:
    /// A read of a cluster or its node pools.
    cluster as Name, /// The cluster, as the pipeline names it.
    actions ["get", "listNodePools"],
    described "cluster ",
    explained "GKE cluster"
}
