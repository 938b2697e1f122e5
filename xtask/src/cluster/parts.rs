//! The parts of a cluster: one table of programs with their arguments.

use std::path::PathBuf;

use super::Extent;
use super::cluster_folder::ClusterFolder;
use super::configuration::{ACCOUNTS_ISSUER, NODE, NODE_ADDRESS, SERVICE_ADDRESS, SERVICES};
use super::programs::Programs;

/// When a part is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// At once.
    First,
    /// When the API server is ready, because the part ends without it.
    WithApi,
}

/// A program that runs as long as the cluster.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) stage: Stage,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
}

/// Returns the parts of a cluster of that extent.
pub(super) fn parts(place: &ClusterFolder, programs: &Programs, extent: Extent) -> Vec<Part> {
    let kubernetes = |name, stage, arguments| Part {
        name,
        stage,
        program: programs.kubernetes().join(name),
        arguments,
    };
    let mut parts = vec![
        kubernetes("etcd", Stage::First, etcd(place)),
        kubernetes("kube-apiserver", Stage::First, api_server(place)),
    ];
    if extent == Extent::Node {
        parts.extend([
            Part {
                name: "containerd",
                stage: Stage::First,
                program: programs.package("usr/bin").join("containerd"),
                arguments: vec![option(
                    "config",
                    place.configuration("containerd.toml").display(),
                )],
            },
            kubernetes(
                "kube-controller-manager",
                Stage::WithApi,
                controller_manager(place),
            ),
            kubernetes("kube-scheduler", Stage::WithApi, scheduler(place)),
            kubernetes("kubelet", Stage::WithApi, kubelet(place)),
        ]);
    }
    parts
}

fn option(name: &str, value: impl std::fmt::Display) -> String {
    format!("--{name}={value}")
}

fn etcd(place: &ClusterFolder) -> Vec<String> {
    let peer = "http://127.0.0.1:2380";
    vec![
        option("data-dir", place.memory().join("etcd").display()),
        option("listen-client-urls", ETCD),
        option("advertise-client-urls", ETCD),
        option("listen-peer-urls", peer),
        option("initial-advertise-peer-urls", peer),
        option("initial-cluster", format!("default={peer}")),
        option("unsafe-no-fsync", true), // nothing outlives the machine anyway
    ]
}

const ETCD: &str = "http://127.0.0.1:2379";

fn api_server(place: &ClusterFolder) -> Vec<String> {
    let key = |name: &str| place.key(name).display().to_string();
    vec![
        option("etcd-servers", ETCD),
        // The port of the service `kubernetes`, whose address is the node's as well: pods reach the
        // API server with neither kube-proxy nor DNS.
        option("secure-port", 443),
        // Only there: tests serve Google's names on this port of another address.
        option("bind-address", SERVICE_ADDRESS),
        option("advertise-address", NODE_ADDRESS),
        option("service-cluster-ip-range", SERVICES),
        option("tls-cert-file", key("apiserver.crt")),
        option("tls-private-key-file", key("apiserver.key")),
        option("kubelet-client-certificate", key("kubelet-client.crt")),
        option("kubelet-client-key", key("kubelet-client.key")),
        // Without it, reading a log looks the node's name up.
        option("kubelet-preferred-address-types", "InternalIP"),
        option("authorization-mode", "Node,RBAC"),
        option("enable-admission-plugins", "NodeRestriction"),
        option(
            "token-auth-file",
            place.configuration("tokens.csv").display(),
        ),
        option("service-account-issuer", ACCOUNTS_ISSUER),
        option("service-account-key-file", key("accounts.pub")),
        option("service-account-signing-key-file", key("accounts.key")),
        option("allow-privileged", true),
    ]
}

fn controller_manager(place: &ClusterFolder) -> Vec<String> {
    vec![
        option(
            "kubeconfig",
            place.kubeconfig_of("kube-controller-manager").display(),
        ),
        option("bind-address", "127.0.0.1"),
        option("leader-elect", false),
        option(
            "service-account-private-key-file",
            place.key("accounts.key").display(),
        ),
        option("root-ca-file", place.key("ca.crt").display()),
        option("use-service-account-credentials", true),
    ]
}

fn scheduler(place: &ClusterFolder) -> Vec<String> {
    vec![
        option(
            "kubeconfig",
            place.kubeconfig_of("kube-scheduler").display(),
        ),
        option("bind-address", "127.0.0.1"),
        option("leader-elect", false),
    ]
}

fn kubelet(place: &ClusterFolder) -> Vec<String> {
    vec![
        option("config", place.configuration("kubelet.yaml").display()),
        option("kubeconfig", place.kubeconfig_of("kubelet").display()),
        option("hostname-override", NODE),
        option("node-ip", NODE_ADDRESS), // a loopback address is refused
        // As on GKE, for the node selector of manifests.
        option("node-labels", "iam.gke.io/gke-metadata-server-enabled=true"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_alone_is_two_programs_that_need_no_package() {
        let place = ClusterFolder::at("/cluster".into());
        let programs = Programs::of_sources().expect("the sources");
        let names = |extent| -> Vec<&str> {
            let parts = parts(&place, &programs, extent);
            parts.iter().map(|part| part.name).collect()
        };
        assert_eq!(names(Extent::Api), ["etcd", "kube-apiserver"]);
        let node = names(Extent::Node);
        for name in [
            "etcd",
            "kube-apiserver",
            "containerd",
            "kube-controller-manager",
            "kube-scheduler",
            "kubelet",
        ] {
            assert!(node.contains(&name), "{name}");
        }
    }
}
