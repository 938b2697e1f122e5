//! The objects of a new cluster.

use serde_json::{Value, json};

/// Returns a service account; `google` is its Google account (the Workload Identity annotation).
pub fn service_account(namespace: &str, name: &str, google: Option<&str>) -> Value {
    let mut object = json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": { "namespace": namespace, "name": name },
    });
    if let Some(google) = google {
        object["metadata"]["annotations"] = json!({ "iam.gke.io/gcp-service-account": google });
    }
    object
}

/// Returns a namespace `builds` with a service account `kaniko` that is linked to
/// `builder@demo.iam.gserviceaccount.com`, and a ready node with GKE's metadata server.
pub fn default_objects() -> Vec<Value> {
    vec![
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "builds" } }),
        service_account(
            "builds",
            "kaniko",
            Some("builder@demo.iam.gserviceaccount.com"),
        ),
        node("sandbox-node-1"),
    ]
}

fn node(name: &str) -> Value {
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        let now = crate::clock::now();
        json!({
            "type": kind, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": now, "lastTransitionTime": now,
        })
    };
    let room = json!({
        "cpu": "8", "memory": "32Gi", "ephemeral-storage": "100Gi", "pods": "110",
    });
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": name, "labels": {
            "cloud.google.com/gke-nodepool": "default-pool",
            "iam.gke.io/gke-metadata-server-enabled": "true",
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "node.kubernetes.io/instance-type": "e2-standard-8",
        } },
        "spec": {},
        "status": {
            "capacity": room, "allocatable": room,
            "addresses": [
                { "type": "InternalIP", "address": "10.0.0.2" },
                { "type": "Hostname", "address": name },
            ],
            "conditions": [
                condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
            ],
            "nodeInfo": {
                "architecture": "amd64", "operatingSystem": "linux", "osImage": "Sidestep sandbox",
                "kernelVersion": "", "bootID": "", "machineID": "", "systemUUID": "",
                "containerRuntimeVersion": "sidestep://sandbox", "kubeProxyVersion": "",
                "kubeletVersion": "v1.33.5-gke.1080000",
            },
        },
    })
}
