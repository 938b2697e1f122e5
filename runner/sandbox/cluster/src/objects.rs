//! The parts of Kubernetes objects that decide who a caller is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use k8s_openapi::api::core::v1;
use kube::ResourceExt as _;

/// A service account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its uid.
    pub uid: String,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// A service account with its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) account: ServiceAccount,
}

impl Account {
    pub(crate) fn read(account: &v1::ServiceAccount) -> Self {
        Self {
            namespace: account.namespace().unwrap_or_default(),
            name: account.name_any(),
            account: ServiceAccount {
                uid: account.uid().unwrap_or_default(),
                annotations: account.annotations().clone(),
            },
        }
    }
}

/// The stage of a pod's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It has no address yet.
    Starting,
    /// It has an address of its own.
    Running,
    /// It has an address, but may have given it back already: it is being deleted, or all its
    /// containers have ended.
    Ending,
    /// It has ended. Its status keeps the address, which may be another pod's by now.
    Ended,
}

/// A pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pod {
    pub(crate) uid: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) service_account: String,
    pub(crate) node: String,
    pub(crate) addresses: BTreeSet<IpAddr>,
    pub(crate) host_network: bool,
    pub(crate) stage: Stage,
}

impl Pod {
    pub(crate) fn read(pod: &v1::Pod) -> Self {
        let spec = pod.spec.clone().unwrap_or_default();
        let status = pod.status.clone().unwrap_or_default();
        let several = status.pod_ips.unwrap_or_default();
        let addresses: BTreeSet<IpAddr> = several
            .iter()
            .map(|address| address.ip.as_str())
            .chain(status.pod_ip.as_deref())
            .filter_map(|address| address.parse().ok())
            .collect();
        let containers = status.container_statuses.unwrap_or_default();
        let all_ended = !containers.is_empty()
            && containers.iter().all(|container| {
                let state = container.state.as_ref();
                state.is_some_and(|state| state.terminated.is_some())
            });
        let stage = match status.phase.as_deref() {
            Some("Succeeded" | "Failed") => Stage::Ended,
            _ if addresses.is_empty() => Stage::Starting,
            _ if all_ended || pod.metadata.deletion_timestamp.is_some() => Stage::Ending,
            _ => Stage::Running,
        };
        let account = spec.service_account_name.filter(|name| !name.is_empty());
        Self {
            uid: pod.uid().unwrap_or_default(),
            namespace: pod.namespace().unwrap_or_default(),
            name: pod.name_any(),
            service_account: account.unwrap_or_else(|| "default".to_owned()),
            node: spec.node_name.unwrap_or_default(),
            addresses,
            host_network: spec.host_network == Some(true),
            stage,
        }
    }
}

/// A node's addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) addresses: BTreeSet<IpAddr>,
}

impl Node {
    pub(crate) fn read(node: &v1::Node) -> Self {
        let status = node.status.clone().unwrap_or_default();
        let addresses = status.addresses.unwrap_or_default();
        Self {
            addresses: addresses
                .iter()
                .filter_map(|address| address.address.parse().ok())
                .collect(),
        }
    }
}
