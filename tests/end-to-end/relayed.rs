//! `sidestep sandbox --cluster` on a machine that no pod reaches: by a relay on the node.

use std::path::Path;

use sidestep_cluster_testing::Cluster;

use crate::beside::{Beside, Machine, account, asked_by, node};

const BUILDER: &str = "builder@demo.iam.gserviceaccount.com";
/// What a sandbox installs, but for the namespace's own objects.
const KINDS: &str = "clusterroles,clusterrolebindings,namespaces,configmaps,\
                     mutatingadmissionpolicies,mutatingadmissionpolicybindings";

/// The node, without the metadata server's address that the tests' other sandboxes need.
struct Bare(&'static Cluster);

impl Bare {
    fn of(cluster: &'static Cluster) -> Self {
        let bare = Self(cluster);
        assert!(bare.address("del"), "the node has the address");
        bare
    }

    fn address(&self, verb: &str) -> bool {
        let mut ip = self.0.on_the_node("ip").expect("a node of our own");
        ip.args(["address", verb, "169.254.169.254/32", "dev", "lo"]);
        ip.output().expect("ip starts").status.success()
    }

    /// Returns the addresses of the loopback interface.
    fn addresses(&self) -> String {
        let mut ip = self.0.on_the_node("ip").expect("a node of our own");
        let output = ip.args(["address", "show", "dev", "lo"]).output();
        String::from_utf8(output.expect("ip starts").stdout).expect("text")
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // It is there if a test failed before the relay took it back.
        self.address("del");
        self.address("add");
    }
}

/// Waits until the cluster's garbage collector has removed an object.
fn until_removed(cluster: &Cluster, of: &[&str]) {
    let wait = ["wait", "--for=delete", "--timeout=120s"];
    cluster.ok(&[&wait[..], of].concat());
}

/// Asks as a pod of the namespace's account.
fn ask(cluster: &Cluster, namespace: &str, paths: &[&str]) -> String {
    asked_by(cluster, namespace, "kaniko", paths, "relayed", false)
}

/// Lists what sandboxes have installed.
fn installed(cluster: &Cluster) -> String {
    let marked = "--selector=sidestep.dev/installation";
    cluster.ok(&["get", KINDS, "--all-namespaces", marked, "--output=name"])
}

#[test]
fn pods_reach_a_sandbox_outside_of_their_cluster() {
    let Some((cluster, _alone)) = node() else {
        return;
    };
    let Some(_) = cluster.images(Path::new(env!("CARGO_BIN_EXE_sidestep"))) else {
        return;
    };
    let node = Bare::of(cluster);
    account(cluster, "builds", "kaniko", Some(BUILDER));
    account(cluster, "others", "kaniko", Some(BUILDER));
    let mut sandbox = Beside::at(Machine::Outside, cluster, "builds,others").unwrap();
    for said in [
        "the pods of builds, others get their identity by a relay on its node",
        "the pods of builds, others that are created from now on know Google's names",
    ] {
        assert!(sandbox.welcome.contains(said), "{}", sandbox.welcome);
    }
    assert!(
        node.addresses()
            .contains("169.254.169.254/32 scope global lo:sidestep"),
        "{}",
        node.addresses()
    );

    // Each pod has its own identity: its source address is that of the pod.
    let own = ask(cluster, "builds", &["email", "token"]);
    assert!(own.contains(BUILDER), "{own}");
    assert!(own.contains("access_token"), "{own}");
    let other = ask(cluster, "others", &["token"]);
    assert!(!other.contains("access_token"), "{other}");
    assert!(other.contains("403"), "{other}");

    // A second sandbox leaves the first one's pods their identity.
    let second = Beside::of_scenario(cluster, Machine::Outside, "no-binding", "others").unwrap();
    for said in [
        "the pods of others get no identity: sandbox `healthy@sidestep`",
        "kubectl delete clusterrole sidestep-sandbox-",
    ] {
        assert!(second.welcome.contains(said), "{}", second.welcome);
    }
    drop(second);
    let own = asked_by(cluster, "builds", "kaniko", &["email"], "still", false);
    assert!(own.contains(BUILDER), "{own}");

    // A killed sandbox leaves the relay, and `stop` removes all of it by its record.
    assert_eq!(
        installed(cluster).lines().count(),
        7,
        "{}",
        installed(cluster)
    );
    sandbox.kill();
    let stopped = sandbox.manage(&["stop"]);
    let said = String::from_utf8(stopped.stderr).unwrap();
    assert!(stopped.status.success(), "{said}");
    assert_eq!(installed(cluster), "");
    assert!(
        !node.addresses().contains("169.254.169.254"),
        "{}",
        node.addresses()
    );
}

#[test]
fn a_relay_without_a_sandbox_may_take_everything_back() {
    let Some((cluster, _alone)) = node() else {
        return;
    };
    let Some(_) = cluster.images(Path::new(env!("CARGO_BIN_EXE_sidestep"))) else {
        return;
    };
    account(cluster, "builds", "kaniko", Some(BUILDER));
    let sandbox = Beside::at(Machine::Outside, cluster, "builds").unwrap();
    let said = "know Google's names, such as";
    assert!(sandbox.welcome.contains(said), "{}", sandbox.welcome);
    let marked = "--selector=sidestep.dev/installation";
    let role = cluster.ok(&["get", "clusterroles", marked, "--output=name"]);
    let role = role.trim();
    let name = role.split_once('/').unwrap().1;

    // As the relay does after 15 minutes; it may do nothing else.
    let relay = format!("--as=system:serviceaccount:{name}:sidestep-relay");
    for other in [
        ["delete", "clusterrole", "view"],
        ["delete", "namespace", name],
    ] {
        let refused = cluster.kubectl(&[&other[..], &[&relay]].concat());
        assert!(!refused.status.success(), "{other:?}");
    }
    cluster.ok(&["delete", role, &relay]);
    until_removed(cluster, &[&format!("namespace/{name}")]);
    let policy = "mutatingadmissionpolicy/sidestep-google-names";
    until_removed(cluster, &[policy]);
    let bundle = "configmap/sidestep-google-names";
    until_removed(cluster, &["--namespace=builds", bundle]);
    let binding = "mutatingadmissionpolicybinding/sidestep-google-names";
    until_removed(cluster, &[binding]);
    until_removed(cluster, &[&format!("clusterrolebinding/{name}")]);
    assert_eq!(installed(cluster), "");

    // A sandbox that was asleep meanwhile says what its pods lack now.
    sandbox.says("the pods of builds get no identity: the relays were removed");
    let reach = sandbox.status()["live"]["cluster"]["reach"].clone();
    assert!(reach["no"].as_str().is_some(), "{reach}");
}
