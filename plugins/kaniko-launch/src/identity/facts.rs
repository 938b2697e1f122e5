//! What is known of the place that builds.

use sidestep::Result;
use sidestep::gcp::gke::{self, ClusterFacts, NodePool};
use sidestep::kubernetes::{self, ObjectRef};

use crate::inputs::Inputs;
use crate::repair::LINK;

/// What is known of the place that builds.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The Google account that the Kubernetes one is linked to; none where that is not known.
    pub(crate) link: Option<Link>,
    /// The cluster as GKE has it, where the step asks for that.
    pub(crate) cluster: Option<ClusterFacts>,
    /// Its node pools.
    pub(crate) pools: Vec<NodePool>,
}

/// Whether a Kubernetes service account is linked to a Google one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Link {
    /// It is itself what roles are given to.
    Direct,
    /// It acts as this account.
    Account(String),
}

impl Facts {
    /// Asks cluster and cloud. What can't be had is left out: the commands ask for it then.
    pub(super) fn ask(inputs: &Inputs) -> Self {
        let link = link(inputs)
            .inspect_err(|error| {
                sidestep::debug!("the service account can't be looked at: {error}");
            })
            .ok();
        let known = Self {
            link,
            ..Self::default()
        };
        if !inputs.looks_at_cluster() {
            return known;
        }
        match cluster(inputs) {
            Ok((cluster, pools)) => Self {
                cluster: Some(cluster),
                pools,
                ..known
            },
            Err(error) => {
                sidestep::warn!(
                    "whether nodes give pods their own account can't be seen: {}",
                    error.message
                );
                known
            }
        }
    }
}

fn cluster(inputs: &Inputs) -> Result<(ClusterFacts, Vec<NodePool>)> {
    let name = inputs.cluster.as_str();
    Ok((gke::cluster(name)?, gke::node_pools(name)?))
}

fn link(inputs: &Inputs) -> Result<Link> {
    let account = kubernetes::get(ObjectRef::namespaced(
        inputs.cluster.as_str(),
        "v1",
        "serviceaccounts",
        &inputs.namespace,
        &inputs.service_account,
    ))?;
    let annotation = account["metadata"]["annotations"][LINK].as_str();
    Ok(match annotation.filter(|address| !address.is_empty()) {
        Some(address) => Link::Account(address.to_owned()),
        None => Link::Direct,
    })
}
