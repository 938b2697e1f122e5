//! The files that a cluster's parts read.

use std::fs::{self, File};
use std::io::Read as _;

use super::cluster_folder::ClusterFolder;
use super::programs::Programs;
use crate::{Result, cargo};

/// The name of the node.
pub(super) const NODE: &str = "node";
/// The address of the node, and of the bridge that pods are connected to.
pub(super) const NODE_ADDRESS: &str = "10.222.0.1";
/// The address of a cloud's metadata server. It is the node's own, so that pods reach a server of a
/// test there through their default route, with their own address.
pub(super) const METADATA_ADDRESS: &str = "169.254.169.254";
const PODS: &str = "10.222.0.0/24";
/// The addresses of services. Their first one is that of the service `kubernetes`.
pub(super) const SERVICES: &str = "10.96.0.0/16";
pub(super) const SERVICE_ADDRESS: &str = "10.96.0.1";
/// The address at which a test serves Google's names, on port 443.
pub(super) const GOOGLE_ADDRESS: &str = "10.96.0.2";
/// The issuer in the tokens of service accounts, as kubeadm sets it.
pub(super) const ACCOUNTS_ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
/// Where containerd listens by default, for `ctr` and `crictl` without options.
pub(super) const CONTAINERD: &str = "/run/containerd/containerd.sock";
/// The image that holds a pod's namespaces.
pub(super) const PAUSE: &str = "sidestep.test/pause:1";

/// The users of the API server: the kubeconfig of each, the name and the groups.
const USERS: [(&str, &str, &str); 4] = [
    ("admin", "admin", "system:masters"),
    (
        "kube-controller-manager",
        "system:kube-controller-manager",
        "",
    ),
    ("kube-scheduler", "system:kube-scheduler", ""),
    ("kubelet", "system:node:node", "system:nodes"),
];

/// Writes keys, tokens and configuration of a cluster.
pub(super) fn write(place: &ClusterFolder, programs: &Programs, cgroup: &str) -> Result<()> {
    let keys = place.folder().join("keys");
    cargo::output(programs.command("cluster-keys").arg(&keys).args([
        NODE_ADDRESS,
        SERVICE_ADDRESS,
        "127.0.0.1",
    ]))?;
    let port = fs::read_to_string(place.port_file())
        .map_err(|error| format!("cannot read the port's number: {error}"))?;
    let mut tokens = String::new();
    for (file, user, groups) in USERS {
        let token = token()?;
        tokens += &format!("{token},{user},{user},\"{groups}\"\n");
        let text = kubeconfig(place, SERVICE_ADDRESS, user, &token);
        ClusterFolder::write(&place.kubeconfig_of(file), &text)?;
        if place.kubeconfig_of(file) == place.kubeconfig_inside() {
            let text = kubeconfig(place, &format!("127.0.0.1:{port}"), user, &token);
            ClusterFolder::write(&place.kubeconfig(), &text)?;
        }
    }
    ClusterFolder::write(&place.configuration("tokens.csv"), &tokens)?;
    ClusterFolder::write(
        &place.configuration("kubelet.yaml"),
        &kubelet(place, cgroup),
    )?;
    ClusterFolder::write(
        &place.configuration("containerd.toml"),
        &containerd(place, programs),
    )?;
    ClusterFolder::write(&place.configuration("cni/10-bridge.conflist"), &network())
}

/// Returns 128 random bits.
fn token() -> Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|error| format!("cannot read /dev/urandom: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn kubeconfig(place: &ClusterFolder, server: &str, user: &str, token: &str) -> String {
    let ca = place.key("ca.crt");
    format!(
        r#"apiVersion: v1
kind: Config
current-context: sidestep
clusters:
- name: sidestep
  cluster: {{ server: "https://{server}", certificate-authority: "{ca}" }}
users:
- name: "{user}"
  user: {{ token: "{token}" }}
contexts:
- name: sidestep
  context: {{ cluster: sidestep, user: "{user}" }}
"#,
        ca = ca.display()
    )
}

/// Returns the kubelet's configuration: on any version of cgroups, with limits for pods only, and
/// without the garbage collection that depends on the machine's disk.
fn kubelet(place: &ClusterFolder, cgroup: &str) -> String {
    let ca = place.key("ca.crt");
    format!(
        r#"apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 0.0.0.0
authentication:
  anonymous: {{ enabled: false }}
  webhook: {{ enabled: false }}
  x509: {{ clientCAFile: "{ca}" }}
authorization: {{ mode: AlwaysAllow }}
cgroupDriver: cgroupfs
cgroupRoot: /{cgroup}
containerRuntimeEndpoint: unix://{CONTAINERD}
enforceNodeAllocatable: []
evictionHard: {{}}
failCgroupV1: false
failSwapOn: false
imageGCHighThresholdPercent: 100
resolvConf: ""
volumePluginDir: /var/lib/kubelet/volume-plugins
"#,
        ca = ca.display()
    )
}

/// Returns containerd's configuration. Tests add authorities of registries to a folder, which is read
/// at each pull. Without `restrict_oom_score_adj`, runc ends with `can't get
/// final child's PID from pipe: EOF` where `CAP_SYS_RESOURCE` is missing.
fn containerd(place: &ClusterFolder, programs: &Programs) -> String {
    const CRI: &str = r#"plugins."io.containerd.grpc.v1.cri""#;
    format!(
        r#"version = 2
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = "{CONTAINERD}"
[{CRI}]
restrict_oom_score_adj = true
sandbox_image = "{PAUSE}"
[{CRI}.registry]
config_path = "{registries}"
[{CRI}.cni]
bin_dir = "{plugins}"
conf_dir = "{networks}"
[{CRI}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[{CRI}.containerd.runtimes.runc.options]
BinaryName = "{runc}"
"#,
        registries = place.registries().display(),
        plugins = programs.package("usr/lib/cni").display(),
        networks = place.configuration("cni").display(),
        runc = programs.package("usr/sbin").join("runc").display(),
    )
}

/// Returns the network of pods: one bridge, whose address is the node's.
fn network() -> String {
    format!(
        r#"{{
  "cniVersion": "0.4.0",
  "name": "pods",
  "plugins": [
    {{
      "type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true,
      "ipam": {{
        "type": "host-local",
        "ranges": [[{{ "subnet": "{PODS}", "gateway": "{NODE_ADDRESS}" }}]],
        "routes": [{{ "dst": "0.0.0.0/0" }}]
      }}
    }}
  ]
}}
"#
    )
}
