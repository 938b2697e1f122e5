//! The nodes whose pods have their own Google identity.

use std::collections::BTreeMap;

use sidestep::{Cluster, Command};

/// The label of nodes whose pods are answered by GKE's metadata server, which knows workload
/// identities, and not by Compute Engine's, which knows the node's account alone.
pub const SERVED: &str = "iam.gke.io/gke-metadata-server-enabled";

/// Returns whether a node selector admits only nodes with [`SERVED`].
pub(crate) fn only_served(node_selector: &BTreeMap<String, String>) -> bool {
    node_selector
        .get(SERVED)
        .is_some_and(|value| value == "true")
}

/// Returns the commands that make node pools serve workload identities: these pools, or if none are
/// given, all that don't.
pub fn serve_identities(cluster: &Cluster, pools: &[&str]) -> Vec<Command> {
    let Some(cluster) = cluster.gke() else {
        return Vec::new();
    };
    if pools.is_empty() {
        return cluster.serve_all_identities().into_iter().collect();
    }
    let updates = pools.iter().map(|pool| cluster.serve_identities(pool));
    updates.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(cluster: &str, pools: &[&str]) -> Vec<String> {
        let cluster = cluster.parse().expect("a cluster");
        let commands = serve_identities(&cluster, pools);
        commands.iter().map(Command::to_line).collect()
    }

    #[test]
    fn known_pools_are_updated_and_others_are_listed_by_the_command() {
        let cluster = "projects/demo/locations/europe-west1/clusters/ci";
        assert_eq!(
            lines(cluster, &["a", "b"]),
            ["a", "b"].map(|pool| format!("gcloud container node-pools update {pool} --cluster ci --location europe-west1 --project demo --workload-metadata=GKE_METADATA"))
        );
        assert_eq!(
            lines(cluster, &[]),
            [
                "gcloud container node-pools list --cluster ci --location europe-west1 --project demo '--filter=NOT config.workloadMetadataConfig.mode=GKE_METADATA' '--format=value(name)' | xargs -I '{}' gcloud container node-pools update '{}' --cluster ci --location europe-west1 --project demo --workload-metadata=GKE_METADATA"
            ]
        );
    }

    #[test]
    fn nothing_is_printed_of_a_cluster_that_only_settings_know() {
        assert!(lines("staging", &[]).is_empty());
        assert!(lines("staging", &["a"]).is_empty());
    }
}
