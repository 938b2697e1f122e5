//! `sidestep sandbox --cluster` beside an API server without admission policies, as before
//! Kubernetes 1.36.

use std::path::Path;

use sidestep_cluster_testing::node_to_disturb;

use crate::beside::Machine;
use crate::on_a_node::build_for_gke;
use crate::setup::program;

/// The API server of the tests, without the policies that it would serve.
const WITHOUT_POLICIES: [&str; 2] = [
    "--runtime-config=admissionregistration.k8s.io/v1/mutatingadmissionpolicies=false,\
     admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings=false",
    // It would wait for them, and keep every pod away.
    "--disable-admission-plugins=MutatingAdmissionPolicy",
];

#[test]
fn a_manifest_for_gke_runs_unchanged_where_the_api_server_has_no_policies() {
    let (Some((cluster, _turn)), Some(_)) = (node_to_disturb(), program("curl")) else {
        return;
    };
    let Some(images) = cluster.images(Path::new(env!("CARGO_BIN_EXE_sidestep"))) else {
        return;
    };
    let _configured = cluster.configure_api_server(&WITHOUT_POLICIES);
    let served = cluster.ok(&["get", "--raw=/apis/admissionregistration.k8s.io/v1"]);
    assert!(!served.contains("mutatingadmissionpolicies"), "{served}");
    let _ = cluster.kubectl(&["create", "namespace", "builds"]);
    let _ = cluster.kubectl(&["create", "serviceaccount", "kaniko", "--namespace=builds"]);
    let kinds = "configmaps,mutatingwebhookconfigurations";
    for machine in [Machine::Node, Machine::Outside] {
        build_for_gke(cluster, images, machine, kinds);
    }
}
