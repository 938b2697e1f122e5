//! The same requests to the sandbox and to a real API server. Each difference that a client can see
//! is fixed, or listed in `differences.txt` and docs/sandbox.md with its reason.

mod answer;
mod known;
mod table;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sidestep_cluster_testing::{Cluster, Namespace};

use crate::support;
use answer::{Server, differences};
use known::Known;
use table::Case;

const REQUESTS: &str = include_str!("on_a_cluster/requests.txt");
const LOG_REQUESTS: &str = include_str!("on_a_cluster/log_requests.txt");

async fn real(cluster: &Cluster) -> Server {
    use kube::config::{KubeConfigOptions, Kubeconfig};
    let file = Kubeconfig::read_from(cluster.kubeconfig()).expect("a kubeconfig");
    let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
    let client = kube::Client::try_from(config.expect("a configuration")).expect("a client");
    Server::new(client)
}

/// Returns a sandbox with the same namespace as the cluster.
async fn sandbox(namespace: &Namespace<'_>) -> support::Cluster {
    let sandbox = support::open(|_| {}).await;
    let name = namespace.name();
    let wish = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    let (code, body) = sandbox.post("/api/v1/namespaces", wish).await;
    assert_eq!(code, 201, "{body}");
    sandbox
}

/// Sends every request to both, and returns the lines that describe the differences.
async fn compared(text: &str, namespace: &str, ours: &Server, theirs: &Server) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for case in Case::all(text, namespace) {
        for request in &case.requests {
            let (ours, theirs) = (ours.send(request).await, theirs.send(request).await);
            for difference in differences(&theirs, &ours) {
                found.insert(format!("{}: {}: {difference}", case.name, request.line));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sandbox_answers_as_a_real_api_server() {
    let Some(cluster) = sidestep_cluster_testing::pinned_api() else {
        return;
    };
    let namespace = cluster.namespace();
    let sandbox = sandbox(&namespace).await;
    let ours = Server::new(sandbox.client("developer"));
    let found = compared(REQUESTS, namespace.name(), &ours, &real(cluster).await).await;
    let known = Known::all();
    let new = known.unknown(&found);
    let lines = new.join("\n");
    assert!(new.is_empty(), "{} differences:\n{lines}", new.len());
    assert_eq!(
        known.unused(&found),
        Vec::<&str>::new(),
        "remove them from the list"
    );
}

#[test]
fn every_difference_has_its_reason_in_the_docs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/sandbox.md");
    let page = std::fs::read_to_string(path).expect("a page");
    for reason in Known::all().reasons() {
        assert!(page.contains(reason), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_read_as_from_a_real_node() {
    let Some(cluster) = sidestep_cluster_testing::node() else {
        return;
    };
    let namespace = cluster.namespace();
    let sandbox = sandbox(&namespace).await;
    let pod = |container: Value| {
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "ran" },
            "spec": { "restartPolicy": "Never", "containers": [container] },
        })
    };
    let path = format!("/api/v1/namespaces/{}/pods", namespace.name());
    let script = ["say=first", "say=the second", "say=", "say=last"];
    let container = json!({ "name": "main", "image": "script:1", "args": script });
    let (code, body) = sandbox.post(&path, pod(container)).await;
    assert_eq!(code, 201, "{body}");
    let command = ["sh", "-c", "echo first; echo the second; echo; echo last"];
    let container = json!({ "name": "main", "image": cluster.image(), "command": command });
    let file = sandbox.dir.path().join("pod.json");
    std::fs::write(&file, pod(container).to_string()).expect("written");
    namespace.ok(&["create", "--filename", file.to_str().expect("UTF-8")]);
    let ended = "--for=jsonpath={.status.phase}=Succeeded";
    namespace.ok(&["wait", "pod/ran", ended, "--timeout=120s"]);
    sandbox
        .until_in(&path, "ran", |pod| pod["status"]["phase"] == "Succeeded")
        .await;

    let ours = Server::new(sandbox.client("developer"));
    let theirs = real(cluster).await;
    let found = compared(LOG_REQUESTS, namespace.name(), &ours, &theirs).await;
    let lines: Vec<String> = found.into_iter().collect();
    assert!(
        lines.is_empty(),
        "{} differences:\n{}",
        lines.len(),
        lines.join("\n")
    );
}
