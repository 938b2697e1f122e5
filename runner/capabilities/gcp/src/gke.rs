//! `gke`: clusters and node pools, from the API of Kubernetes Engine.

use std::collections::BTreeMap;

use google_cloud_container_v1::model::DatapathProvider;
use sidestep_bindings::sidestep::gcp::gke as wit;
use sidestep_bindings::sidestep::host::types::Failure as WitFailure;
use sidestep_control_plane::{ControlPlane, NodePool};
use sidestep_events::Failure;
use sidestep_gate::functions::gke as functions;
use sidestep_gate::{Capability, StepState};
use sidestep_google::convert::{filled, value};
use sidestep_google::{CLUSTER, Name};
use sidestep_policy::Capability as Key;
use sidestep_policy::gke::GkeCall;
use wasmtime::component::Linker;

use crate::{Calls, HasCalls};

/// Grant key and functions.
pub const CAPABILITY: Capability = Capability {
    key: Key::Gke,
    link,
};

/// The metadata mode of nodes that serve workload identities (`workloadMetadataConfig.mode`).
const SERVES: &str = "GKE_METADATA";

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasCalls>(linker, |state| Calls(state))
}

impl wit::Host for Calls<'_> {
    async fn clusters(
        &mut self,
        names: Vec<String>,
    ) -> wasmtime::Result<Vec<Result<wit::Cluster, WitFailure>>> {
        let google = self.google();
        self.each(google, names, |gate, google, cluster| async move {
            let call = GkeCall {
                cluster: &cluster,
                action: "get",
            };
            let found = gate
                .call(functions::CLUSTERS, &call)
                .run(get(&google, &cluster))
                .await;
            gate.shown()
                .rights(found, |cluster| cluster.workload_pool.is_none())
        })
        .await
    }

    async fn node_pools(
        &mut self,
        clusters: Vec<String>,
    ) -> wasmtime::Result<Vec<Result<Vec<wit::NodePool>, WitFailure>>> {
        let google = self.google();
        self.each(google, clusters, |gate, google, cluster| async move {
            let call = GkeCall {
                cluster: &cluster,
                action: "listNodePools",
            };
            let found = gate
                .call(functions::NODE_POOLS, &call)
                .run(node_pools(&google, &cluster))
                .await;
            gate.shown().rights(found, |pools| {
                pools
                    .iter()
                    .any(|pool| pool.metadata_mode.as_deref() != Some(SERVES))
            })
        })
        .await
    }
}

async fn get(google: &ControlPlane, cluster: &str) -> Result<wit::Cluster, Failure> {
    let name = Name::read("cluster", CLUSTER, cluster)?;
    let found = google.cluster(&format!("get {name}"), &name).await?;
    let dataplane_v2 = found
        .network_config
        .is_some_and(|network| network.datapath_provider == DatapathProvider::AdvancedDatapath);
    let pool = found
        .workload_identity_config
        .map(|config| config.workload_pool);
    let fleet = found.fleet.filter(|fleet| !fleet.membership.is_empty());
    Ok(wit::Cluster {
        name: name.as_str().to_owned(),
        status: value(found.status.name()),
        version: found.current_master_version,
        autopilot: found.autopilot.is_some_and(|autopilot| autopilot.enabled),
        workload_pool: pool.and_then(filled),
        fleet: fleet.map(|fleet| wit::FleetMembership {
            project: fleet.project,
            // The API returns `//gkehub.googleapis.com/projects/…`.
            membership: fleet
                .membership
                .trim_start_matches("//gkehub.googleapis.com/")
                .to_owned(),
        }),
        dataplane_v2,
        network_policy: dataplane_v2 || found.network_policy.is_some_and(|policy| policy.enabled),
    })
}

async fn node_pools(google: &ControlPlane, cluster: &str) -> Result<Vec<wit::NodePool>, Failure> {
    let name = Name::read("cluster", CLUSTER, cluster)?;
    let what = format!("list the node pools of {cluster}");
    let pools = google.node_pools(&what, &name).await?;
    Ok(pools.into_iter().map(node_pool).collect())
}

fn node_pool(pool: NodePool) -> wit::NodePool {
    let nodes = pool.config.unwrap_or_default();
    let metadata = nodes.workload_metadata_config.unwrap_or_default();
    wit::NodePool {
        name: pool.name,
        status: value(pool.status.name()),
        version: pool.version,
        metadata_mode: filled(value(metadata.mode.name())),
        service_account: filled(nodes.service_account),
        oauth_scopes: nodes.oauth_scopes,
        machine_type: nodes.machine_type,
        labels: nodes
            .labels
            .into_iter()
            .collect::<BTreeMap<_, _>>()
            .into_iter()
            .map(|(key, value)| wit::Label { key, value })
            .collect(),
        taints: nodes
            .taints
            .into_iter()
            .map(|taint| wit::Taint {
                effect: value(taint.effect.name()),
                key: taint.key,
                value: taint.value,
            })
            .collect(),
    }
}
