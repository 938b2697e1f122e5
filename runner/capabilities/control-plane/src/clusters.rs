//! Clusters and their node pools (Kubernetes Engine v1).
//!
//! Google's types of the two have several hundred fields, and reading them takes 1.5 MB of the
//! program. The types here have the fields that Sidestep reads, of Google's types; a test checks
//! that they read the same.

use std::collections::HashMap;

use google_cloud_container_v1::model::cluster::Status;
use google_cloud_container_v1::model::{
    ControlPlaneEndpointsConfig, DatapathProvider, Fleet, MasterAuth, NetworkPolicy, NodeTaint,
    WorkloadIdentityConfig, WorkloadMetadataConfig, node_pool,
};
use serde::Deserialize;
use sidestep_google::{Name, Service};

use super::{Answer, ControlPlane};

/// A cluster.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cluster {
    /// Its state.
    pub status: Status,
    /// The version of Kubernetes.
    pub current_master_version: String,
    /// The host of its API server; empty while it has none.
    pub endpoint: String,
    /// The endpoints of its API server.
    pub control_plane_endpoints_config: Option<ControlPlaneEndpointsConfig>,
    /// The certificate authority of its API server.
    pub master_auth: Option<MasterAuth>,
    /// Whether Google manages its nodes.
    pub autopilot: Option<Autopilot>,
    /// Its workload identity pool.
    pub workload_identity_config: Option<WorkloadIdentityConfig>,
    /// Its fleet.
    pub fleet: Option<Fleet>,
    /// The network that its pods use.
    pub network_config: Option<NetworkConfig>,
    /// The policies between its pods.
    pub network_policy: Option<NetworkPolicy>,
}

/// Whether Google manages the nodes of a cluster.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Autopilot {
    /// Whether it does.
    pub enabled: bool,
}

/// The network that the pods of a cluster use.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NetworkConfig {
    /// The implementation of the network.
    pub datapath_provider: DatapathProvider,
}

/// A node pool.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodePool {
    /// Its name in its cluster.
    pub name: String,
    /// Its state.
    pub status: node_pool::Status,
    /// The version of Kubernetes.
    pub version: String,
    /// The configuration of its nodes.
    pub config: Option<Node>,
}

/// The configuration of the nodes of a pool.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Node {
    /// The machine's type.
    pub machine_type: String,
    /// The account of the nodes themselves.
    pub service_account: String,
    /// The scopes of that account's tokens.
    pub oauth_scopes: Vec<String>,
    /// The labels of the nodes in Kubernetes.
    pub labels: HashMap<String, String>,
    /// The taints of the nodes in Kubernetes.
    pub taints: Vec<NodeTaint>,
    /// How pods see the metadata server.
    pub workload_metadata_config: Option<WorkloadMetadataConfig>,
}

/// The node pools of a cluster. The API has no pages for them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NodePools {
    node_pools: Vec<NodePool>,
}

impl ControlPlane {
    /// Gets a cluster, `projects/P/locations/L/clusters/C`.
    pub fn cluster<'a>(&'a self, what: &'a str, cluster: &Name) -> Answer<'a, Cluster> {
        self.get(what, Service::Container, format!("/v1/{cluster}"))
    }

    /// Lists the node pools of a cluster.
    pub fn node_pools<'a>(&'a self, what: &'a str, cluster: &Name) -> Answer<'a, Vec<NodePool>> {
        let path = format!("/v1/{cluster}/nodePools");
        let found = self.get::<NodePools>(what, Service::Container, path);
        Box::pin(async { Ok(found.await?.node_pools) })
    }
}

#[cfg(test)]
mod tests {
    use google_cloud_container_v1::model::control_plane_endpoints_config::DNSEndpointConfig;
    use google_cloud_container_v1::model::{self, node_taint, workload_metadata_config};

    use super::*;

    #[test]
    fn a_cluster_is_read_as_google_s_type_reads_it() {
        let whole = model::Cluster::new()
            .set_name("ci")
            .set_status(Status::Degraded)
            .set_current_master_version("1.36.3-gke.1000")
            .set_endpoint("203.0.113.7")
            .set_control_plane_endpoints_config(
                ControlPlaneEndpointsConfig::new().set_dns_endpoint_config(
                    DNSEndpointConfig::new().set_endpoint("gke-1.europe-west1.gke.goog"),
                ),
            )
            .set_master_auth(MasterAuth::new().set_cluster_ca_certificate("LS0t"))
            .set_autopilot(model::Autopilot::new().set_enabled(true))
            .set_workload_identity_config(WorkloadIdentityConfig::new().set_workload_pool("demo"))
            .set_fleet(Fleet::new().set_project("demo").set_membership("//gkehub"))
            .set_network_config(
                model::NetworkConfig::new()
                    .set_network("projects/demo/global/networks/default")
                    .set_datapath_provider(DatapathProvider::AdvancedDatapath),
            )
            .set_network_policy(NetworkPolicy::new().set_enabled(true));
        let json = serde_json::to_value(&whole).expect("JSON");
        let read: Cluster = serde_json::from_value(json).expect("a cluster");
        let autopilot = whole.autopilot.expect("it is set");
        let network = whole.network_config.expect("it is set");
        let expected = Cluster {
            status: whole.status,
            current_master_version: whole.current_master_version,
            endpoint: whole.endpoint,
            control_plane_endpoints_config: whole.control_plane_endpoints_config,
            master_auth: whole.master_auth,
            autopilot: Some(Autopilot {
                enabled: autopilot.enabled,
            }),
            workload_identity_config: whole.workload_identity_config,
            fleet: whole.fleet,
            network_config: Some(NetworkConfig {
                datapath_provider: network.datapath_provider,
            }),
            network_policy: whole.network_policy,
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn node_pools_are_read_as_google_s_type_reads_them() {
        let metadata =
            WorkloadMetadataConfig::new().set_mode(workload_metadata_config::Mode::GkeMetadata);
        let taint = NodeTaint::new()
            .set_key("dedicated")
            .set_value("builds")
            .set_effect(node_taint::Effect::NoSchedule);
        let nodes = model::NodeConfig::new()
            .set_machine_type("e2-standard-4")
            .set_disk_size_gb(100)
            .set_service_account("default")
            .set_oauth_scopes(["https://www.googleapis.com/auth/cloud-platform"])
            .set_labels([("team", "ci")])
            .set_taints([taint])
            .set_workload_metadata_config(metadata);
        let whole = model::ListNodePoolsResponse::new().set_node_pools([model::NodePool::new()
            .set_name("default-pool")
            .set_status(node_pool::Status::Running)
            .set_version("1.36.3-gke.1000")
            .set_config(nodes)]);
        let json = serde_json::to_value(&whole).expect("JSON");
        let read: NodePools = serde_json::from_value(json).expect("node pools");
        let expected = whole.node_pools.into_iter().map(|pool| NodePool {
            name: pool.name,
            status: pool.status,
            version: pool.version,
            config: pool.config.map(|nodes| Node {
                machine_type: nodes.machine_type,
                service_account: nodes.service_account,
                oauth_scopes: nodes.oauth_scopes,
                labels: nodes.labels,
                taints: nodes.taints,
                workload_metadata_config: nodes.workload_metadata_config,
            }),
        });
        assert_eq!(read.node_pools, expected.collect::<Vec<_>>());
    }

    #[test]
    fn a_state_that_google_adds_is_kept_as_text() {
        let json = serde_json::json!({"status": "SLEEPING", "newField": {"a": 1}});
        let read: Cluster = serde_json::from_value(json).expect("a cluster");
        assert_eq!(read.status.name(), Some("SLEEPING"));
    }
}
