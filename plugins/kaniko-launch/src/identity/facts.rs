//! The facts known about the cluster and service account that build.

use sidestep::Result;
use sidestep::gcp::gke::{self, ClusterFacts, NodePool};
use sidestep::google::{Account, Misspelt};
use sidestep::kubectl;
use sidestep::kubernetes::{self, ObjectRef};

use crate::inputs::Inputs;

/// The facts known about the cluster and service account that build.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The Google account that the Kubernetes one is linked to, if known.
    pub(crate) link: Option<Link>,
    /// The cluster as GKE has it, where the step asks for that.
    pub(crate) cluster: Option<ClusterFacts>,
    /// Its node pools.
    pub(crate) pools: Vec<NodePool>,
}

/// Whether a Kubernetes service account is linked to a Google one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Link {
    /// Roles are granted to it directly.
    Direct,
    /// It acts as this account.
    Account(Account),
    /// Its annotation holds this text, which is not an address: it acts as no account.
    Misspelt(String, Misspelt),
}

impl Link {
    /// Reads the annotation. `project` is the cluster's.
    pub(crate) fn read(annotation: Option<&str>, project: &str) -> Self {
        match annotation {
            None => Self::Direct,
            Some(text) => match Account::check(text, project) {
                Ok(account) => Self::Account(account),
                Err(misspelt) => Self::Misspelt(text.to_owned(), misspelt),
            },
        }
    }
}

impl Facts {
    /// Reads the facts from cluster and cloud. The printed commands look up what can't be read.
    pub(super) fn ask(inputs: &Inputs) -> Self {
        let link = link(inputs)
            .inspect_err(|error| {
                sidestep::debug!("can't read the service account: {error}");
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
                    "can't check whether pods run as their node's account: {}",
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
    let annotation = account["metadata"]["annotations"][kubectl::GOOGLE_ACCOUNT].as_str();
    // GKE takes an empty one for none.
    let annotation = annotation.filter(|text| !text.is_empty());
    Ok(Link::read(
        annotation,
        inputs.cluster.project().unwrap_or_default(),
    ))
}
