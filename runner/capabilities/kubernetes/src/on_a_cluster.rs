//! The clients against a real API server and a real node.

mod following;
mod kinds;
mod objects;
mod permissions;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use sidestep_cluster_testing::{Cluster, Namespace};

use crate::{Objects, Owned, Target};

/// Runs a test with a client and a namespace of its own.
fn on(cluster: &Cluster, test: impl AsyncFnOnce(Client, &Namespace<'_>)) {
    let namespace = cluster.namespace();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let file = Kubeconfig::read_from(cluster.kubeconfig()).expect("a kubeconfig");
        let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
        let client = Client::try_from(config.expect("a configuration")).expect("a client");
        Box::pin(test(client, &namespace)).await;
    });
}

fn target(resource: &str, namespace: &Namespace<'_>) -> Target {
    Target {
        api_version: "v1".to_owned(),
        resource: resource.to_owned(),
        namespace: Some(namespace.name().to_owned()),
    }
}

fn objects(client: &Client, resource: &str, namespace: &Namespace<'_>) -> Objects {
    Objects::new(client.clone(), target(resource, namespace))
}

/// Returns the owner of the objects of an attempt.
fn attempt(number: u32) -> Owned {
    Owned {
        by: format!("run/build/{number}/plan"),
        expires: "2099-01-01T00:00:00Z".to_owned(),
    }
}

fn config_map(name: &str, value: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": name, "labels": { "app": "test" } }, "data": { "key": value },
    })
}
