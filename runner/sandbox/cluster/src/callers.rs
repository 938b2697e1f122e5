//! From the source address of a connection to the caller.
//!
//! A pod's address may be another pod's later. The API server learns of both changes after the node
//! has made them, so a caller is named only if exactly one pod can have the address.

use std::net::IpAddr;

use sidestep_sandbox_base::names::METADATA_ADDRESS;

use crate::objects::{Pod, Stage};
use crate::state::State;

/// The caller at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A pod with an address of its own.
    Pod {
        /// The pod's uid.
        uid: String,
        /// The pod's namespace.
        namespace: String,
        /// The pod's name.
        name: String,
        /// The pod's service account.
        service_account: String,
    },
    /// A process on a node's network: a pod with `hostNetwork`, or no pod at all.
    Node,
}

/// The reason why there is no caller at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoCaller {
    /// No pod has the address.
    Unknown,
    /// The cluster's state does not show yet which pod has the address.
    NotYet,
}

/// Returns the caller at an address. A connection that came through a node is one of that node's
/// pods, or none: a node can't name those of another.
pub(crate) fn find(state: &State, source: IpAddr, node: Option<&str>) -> Result<Caller, NoCaller> {
    if !state.is_current() {
        return Err(NoCaller::NotYet);
    }
    // A process on the node's network that calls the metadata server at an address of the node has
    // the same address, since both ends are on one interface.
    let is_metadata = source.to_string() == METADATA_ADDRESS;
    let mut nodes = state.nodes.objects();
    if source.is_loopback() || is_metadata || nodes.any(|node| node.addresses.contains(&source)) {
        return Ok(Caller::Node);
    }
    let with_address = |pod: &&Pod| {
        !pod.host_network && pod.stage != Stage::Ended && pod.addresses.contains(&source)
    };
    let mut found = state.pods().filter(with_address);
    let Some(pod) = found.next() else {
        // The address of a pod that starts is published some time after the pod has it.
        let may_have_it = |pod: &Pod| {
            pod.stage == Stage::Starting
                && !pod.host_network
                && !pod.node.is_empty()
                && pod.addresses.is_empty()
        };
        let is_late = state.pods().any(may_have_it);
        return Err(if is_late {
            NoCaller::NotYet
        } else {
            NoCaller::Unknown
        });
    };
    if node.is_some_and(|node| node != pod.node) {
        return Err(NoCaller::Unknown);
    }
    if found.next().is_some() || may_have_passed_on(state, pod) {
        return Err(NoCaller::NotYet);
    }
    Ok(Caller::Pod {
        uid: pod.uid.clone(),
        namespace: pod.namespace.clone(),
        name: pod.name.clone(),
        service_account: pod.service_account.clone(),
    })
}

/// Returns whether the address of a pod that is ending may already be that of a pod that starts on
/// the same node. That pod may be in a namespace that is not watched.
fn may_have_passed_on(state: &State, pod: &Pod) -> bool {
    let starts_there = |other: &Pod| {
        other.stage == Stage::Starting && !other.host_network && other.node == pod.node
    };
    pod.stage == Stage::Ending && (!state.has_all_pods || state.pods().any(starts_there))
}

#[cfg(test)]
mod tests;
