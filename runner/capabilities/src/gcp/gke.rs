//! `gke`: clusters and node pools, as Kubernetes Engine's own API has them.

use std::collections::BTreeMap;

use serde::Deserialize;
use sidestep_events::Failure;
use sidestep_policy::Capability as Key;
use sidestep_policy::gke::Request;
use wasmtime::component::{HasSelf, Linker};

use crate::bindings::sidestep::gcp::gke as wit;
use crate::bindings::sidestep::host::types::Failure as WitFailure;
use crate::google::{Name, Rest, Service};
use crate::{Capability, StepState};

pub(crate) const CAPABILITY: Capability = Capability {
    key: Key::Gke,
    interface: "sidestep:gcp/gke",
    version: "0.1.0",
    link,
};

/// The form of a cluster's name.
const CLUSTER: &str = "projects/P/locations/L/clusters/C";

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasSelf<StepState>>(linker, |state| state)
}

impl wit::Host for StepState {
    async fn clusters(
        &mut self,
        names: Vec<String>,
    ) -> wasmtime::Result<Vec<Result<wit::Cluster, WitFailure>>> {
        self.ask_each(names, |gate, google, cluster| async move {
            let call = Request {
                cluster: &cluster,
                action: "get",
            };
            gate.call("clusters", &call)
                .run(get(&google, &cluster))
                .await
        })
        .await
    }

    async fn node_pools(
        &mut self,
        clusters: Vec<String>,
    ) -> wasmtime::Result<Vec<Result<Vec<wit::NodePool>, WitFailure>>> {
        self.ask_each(clusters, |gate, google, cluster| async move {
            let call = Request {
                cluster: &cluster,
                action: "listNodePools",
            };
            gate.call("node-pools", &call)
                .run(node_pools(&google, &cluster))
                .await
        })
        .await
    }
}

/// A cluster (Kubernetes Engine v1).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Cluster {
    status: String,
    current_master_version: String,
    autopilot: Enabled,
    workload_identity_config: WorkloadIdentity,
    fleet: Option<Fleet>,
    network_config: Network,
    network_policy: Enabled,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Enabled {
    enabled: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct WorkloadIdentity {
    workload_pool: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Fleet {
    project: String,
    membership: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Network {
    datapath_provider: String,
}

async fn get(google: &Rest, cluster: &str) -> Result<wit::Cluster, Failure> {
    let name = Name::read("cluster", CLUSTER, cluster)?;
    let what = format!("look at {cluster}");
    let path = format!("/v1/{}", name.as_str());
    let found: Cluster = google.get(&what, Service::Container, &path).await?;
    let dataplane_v2 = found.network_config.datapath_provider == "ADVANCED_DATAPATH";
    let fleet = found.fleet.filter(|fleet| !fleet.membership.is_empty());
    Ok(wit::Cluster {
        name: name.as_str().to_owned(),
        status: found.status,
        version: found.current_master_version,
        autopilot: found.autopilot.enabled,
        workload_pool: filled(found.workload_identity_config.workload_pool),
        fleet: fleet.map(|fleet| wit::FleetMembership {
            project: fleet.project,
            // The API has `//gkehub.googleapis.com/projects/…`.
            membership: fleet
                .membership
                .trim_start_matches("//gkehub.googleapis.com/")
                .to_owned(),
        }),
        dataplane_v2,
        network_policy: dataplane_v2 || found.network_policy.enabled,
    })
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct NodePools {
    node_pools: Vec<NodePool>,
}

/// A node pool (Kubernetes Engine v1).
#[derive(Deserialize, Default)]
#[serde(default)]
struct NodePool {
    name: String,
    status: String,
    version: String,
    config: Nodes,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Nodes {
    workload_metadata_config: Metadata,
    service_account: Option<String>,
    oauth_scopes: Vec<String>,
    machine_type: String,
    labels: BTreeMap<String, String>,
    taints: Vec<Taint>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    mode: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Taint {
    key: String,
    value: String,
    effect: String,
}

async fn node_pools(google: &Rest, cluster: &str) -> Result<Vec<wit::NodePool>, Failure> {
    let name = Name::read("cluster", CLUSTER, cluster)?;
    let what = format!("look at the node pools of {cluster}");
    let path = format!("/v1/{}/nodePools", name.as_str());
    let found: NodePools = google.get(&what, Service::Container, &path).await?;
    Ok(found.node_pools.into_iter().map(node_pool).collect())
}

fn node_pool(pool: NodePool) -> wit::NodePool {
    let nodes = pool.config;
    wit::NodePool {
        name: pool.name,
        status: pool.status,
        version: pool.version,
        metadata_mode: filled(nodes.workload_metadata_config.mode)
            .filter(|mode| mode != "MODE_UNSPECIFIED"),
        service_account: filled(nodes.service_account),
        oauth_scopes: nodes.oauth_scopes,
        machine_type: nodes.machine_type,
        labels: nodes
            .labels
            .into_iter()
            .map(|(key, value)| wit::Label { key, value })
            .collect(),
        taints: nodes
            .taints
            .into_iter()
            .map(|taint| wit::Taint {
                key: taint.key,
                value: taint.value,
                effect: taint.effect,
            })
            .collect(),
    }
}

/// A text that is not empty: the API leaves out what has no value, or sends it empty.
fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
