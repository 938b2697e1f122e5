//! GKE's own API.

crate::lookup::lookup! {
    Gke:
    /// A look at a cluster or its node pools.
    cluster as Name, /// The cluster, as the pipeline names it.
    actions ["get", "listNodePools"],
    described "cluster ",
    explained "GKE cluster"
}
