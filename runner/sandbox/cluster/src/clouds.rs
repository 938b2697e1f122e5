//! Nodes that have a metadata server already, by the cloud that they are a machine of.

use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt as _;

/// The starts of a node's `providerID`, as the clouds' controllers set it, with the cloud. All of
/// these serve metadata at 169.254.169.254.
const PROVIDERS: [(&str, &str); 11] = [
    ("gce://", "Google Cloud"),
    ("aws://", "AWS"),
    ("azure://", "Azure"),
    ("ocid1.", "Oracle Cloud"),
    ("oci://", "Oracle Cloud"),
    ("openstack://", "an OpenStack cloud"),
    ("digitalocean://", "DigitalOcean"),
    ("hcloud://", "Hetzner Cloud"),
    ("ibm://", "IBM Cloud"),
    ("linode://", "Akamai"),
    ("vultr://", "Vultr"),
];

/// The labels of managed clusters' nodes.
const LABELS: [(&str, &str); 3] = [
    ("cloud.google.com/gke-nodepool", "Google Cloud"),
    ("eks.amazonaws.com/nodegroup", "AWS"),
    ("kubernetes.azure.com/cluster", "Azure"),
];

/// The cloud that a node is a machine of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) node: String,
    pub(crate) cloud: &'static str,
    /// The part of the node that shows it.
    pub(crate) evidence: String,
}

/// Returns the first node that is a machine of a cloud with a metadata server.
pub(crate) fn of_nodes<'n>(nodes: impl IntoIterator<Item = &'n Node>) -> Option<Found> {
    nodes.into_iter().find_map(of_node)
}

fn of_node(node: &Node) -> Option<Found> {
    let provider = node.spec.as_ref().and_then(|spec| spec.provider_id.clone());
    let provider = provider.unwrap_or_default();
    let by_provider = PROVIDERS
        .iter()
        .find(|(start, _)| provider.starts_with(start))
        .map(|(_, cloud)| (*cloud, format!("providerID {provider}")));
    let by_label = || {
        let (label, cloud) = LABELS
            .iter()
            .find(|(label, _)| node.labels().contains_key(*label))?;
        Some((*cloud, format!("label {label}")))
    };
    let (cloud, evidence) = by_provider.or_else(by_label)?;
    Some(Found {
        node: node.name_any(),
        cloud,
        evidence,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn cloud(metadata: Value, spec: Value) -> Option<(&'static str, String)> {
        let mut node = json!({ "metadata": metadata, "spec": spec });
        node["metadata"]["name"] = json!("n");
        let node: Node = serde_json::from_value(node).unwrap();
        of_nodes([&node]).map(|found| (found.cloud, found.evidence))
    }

    #[test]
    fn a_machine_of_a_cloud_is_known_by_its_provider_or_label() {
        for (provider, expected) in [
            ("gce://demo/europe-west1-b/gke-ci-1", Some("Google Cloud")),
            ("aws:///eu-central-1a/i-0123456789abcdef0", Some("AWS")),
            ("azure:///subscriptions/x/virtualMachines/0", Some("Azure")),
            ("ocid1.instance.oc1.phx.x", Some("Oracle Cloud")),
            ("kind://docker/kind/kind-control-plane", None),
            ("k3s://laptop", None),
            ("vsphere://421a", None),
        ] {
            let found = cloud(json!({}), json!({ "providerID": provider }));
            assert_eq!(found.map(|(cloud, _)| cloud), expected, "{provider}");
        }
        let labels = json!({ "labels": { "eks.amazonaws.com/nodegroup": "builds" } });
        assert_eq!(
            cloud(labels, json!({})),
            Some(("AWS", "label eks.amazonaws.com/nodegroup".to_owned()))
        );
        // The label of GKE's node selector is not evidence: the sandbox's own nodes have it.
        let labels = json!({ "labels": { "iam.gke.io/gke-metadata-server-enabled": "true" } });
        assert_eq!(cloud(labels, json!({})), None);
    }
}
