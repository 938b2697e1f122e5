//! Builds on a real node that the cluster or a person ends, with `retry`.

use std::fs;
use std::process::Output;

use serde_json::json;
use sidestep_cluster_testing::{Cluster, node_to_disturb};

use crate::beside::create;
use crate::killed::{Running, is_log};
use crate::node_runs::{Builds, succeeded};
use crate::pod_changes::PodChanges;
use crate::random_kills::image;
use crate::setup::find;
use crate::soak::row;

/// The lines of the build, so that it lasts until it is held.
const LINES: u32 = 10_000;
const RETRY: &str = "retry: { attempts: 2, on: [unavailable, pod.deleted] }";
/// More of the processor than half of the smallest machine has.
const MOST: &str = "1100m";

/// A build in the middle of its work. Its process stands still, so that it does not end by itself.
struct Held<'b> {
    builds: &'b Builds,
    changes: PodChanges,
    run: Running,
    /// The pod's name, and its uid.
    pod: String,
    uid: String,
}

impl<'b> Held<'b> {
    fn start(builds: &'b Builds, file: &str, id: &str) -> Self {
        let changes = PodChanges::of(builds.sandbox.cluster(), "builds");
        let mut run = builds.run(file, id);
        let mut seen = Vec::new();
        let began = run.until(|event| {
            seen.push(event.clone());
            is_log(event, "LABEL n=5")
        });
        assert!(began, "{id} ended: {}", run.end().2);
        let cluster = builds.sandbox.cluster();
        hold(cluster);
        let pod = crate::interrupted::pod_of(&seen);
        let pod = pod.split_once('/').unwrap().1.to_owned();
        let uid = get(cluster, &pod, "{.metadata.uid}");
        Self {
            builds,
            changes,
            run,
            pod,
            uid,
        }
    }

    fn kubectl(&self, arguments: &[&str]) -> Output {
        let all = [&["--namespace=builds"], arguments].concat();
        self.builds.sandbox.cluster().kubectl(&all)
    }

    /// Waits for the end, and checks that the second attempt built, after the first pod's end, and
    /// that the first one failed with this code.
    fn end(self, expected: &str, code: &str) {
        let events = succeeded(code, self.run.end());
        let failed = find(&events, "attempt-finished", |data| {
            data["failure"].is_object()
        });
        let failed = &failed.expect("an attempt failed")["failure"];
        assert_eq!(failed["code"], code, "{failed}");
        let seen = self.changes.next(4);
        let kinds: Vec<&str> = seen.iter().map(|change| change.kind.as_str()).collect();
        assert_eq!(kinds, ["ADDED", "DELETED", "ADDED", "DELETED"], "{code}");
        assert!(
            seen[..2].iter().all(|change| change.uid == self.uid),
            "{seen:?}"
        );
        assert_eq!(seen[2].uid, seen[3].uid, "{code}");
        assert_eq!(image(code, &(0, events)), expected);
    }
}

/// Returns a field of a pod.
fn get(cluster: &Cluster, pod: &str, path: &str) -> String {
    let path = format!("--output=jsonpath={path}");
    cluster.ok(&["get", "pod", pod, "--namespace=builds", &path])
}

/// Prints the number of the one process that builds, after stopping it.
const STOP: &str = "for process in /proc/[0-9]*; do
    if grep --quiet -e '[-]-destination=' $process/cmdline 2>/dev/null; then
        kill -STOP ${process#/proc/} && echo ${process#/proc/}
    fi
done";

/// Lets the process that builds stand still until it is killed.
fn hold(cluster: &Cluster) {
    let mut shell = cluster.on_the_node("sh").unwrap();
    let stopped = shell.args(["-c", STOP]).output().unwrap();
    let stopped = String::from_utf8(stopped.stdout).unwrap();
    assert_eq!(stopped.lines().count(), 1, "one build: {stopped}");
}

/// Returns the image of a build that nothing disturbs.
fn undisturbed(builds: &Builds) -> String {
    builds.pipeline("retried.yaml", "", RETRY);
    let run = builds.run("retried.yaml", "undisturbed");
    image("undisturbed", &(0, succeeded("undisturbed", run.end())))
}

#[test]
fn a_build_that_the_cluster_ends_is_built_again() {
    let Some((cluster, _turn)) = node_to_disturb() else {
        return;
    };
    let builds = Builds::start(cluster, LINES);
    let expected = undisturbed(&builds);

    // The eviction API, as a node's upgrade uses it.
    let held = Held::start(&builds, "retried.yaml", "evicted");
    let eviction = json!({
        "apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": { "name": held.pod, "namespace": "builds" },
    });
    let file = builds.sandbox.folder().join("eviction.json");
    fs::write(&file, eviction.to_string()).unwrap();
    let path = format!("/api/v1/namespaces/builds/pods/{}/eviction", held.pod);
    cluster.ok(&[
        "create",
        "--raw",
        &path,
        "--filename",
        file.to_str().unwrap(),
    ]);
    held.end(&expected, "pod.evicted");

    let held = Held::start(&builds, "retried.yaml", "deleted");
    let deleted = held.kubectl(&["delete", "pod", &held.pod, "--wait=false"]);
    assert!(deleted.status.success(), "{deleted:?}");
    held.end(&expected, "pod.deleted");

    drained(&builds, &expected);
    preempted(&builds, &expected);
    without_kubelet(&builds, &expected);
    builds.nothing_is_left();
    let how = "eviction, deletion, drain, preemption and a stopped kubelet in mid-build";
    row(how, "each built again by `retry`, with the same digest");
}

fn drained(builds: &Builds, expected: &str) {
    let cluster = builds.sandbox.cluster();
    let held = Held::start(builds, "retried.yaml", "drained");
    cluster.ok(&["drain", "node", "--force", "--timeout=180s"]);
    cluster.ok(&["uncordon", "node"]);
    held.end(expected, "pod.evicted");
}

fn preempted(builds: &Builds, expected: &str) {
    let cluster = builds.sandbox.cluster();
    builds.pipeline("large.yaml", &format!("cpu: {MOST}"), RETRY);
    let held = Held::start(builds, "large.yaml", "preempted");
    let class = json!({
        "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
        "metadata": { "name": "urgent" }, "value": 1000,
    });
    create(cluster, &class);
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "urgent", "namespace": "default" },
        "spec": {
            "restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
            "priorityClassName": "urgent",
            "containers": [{
                "name": "main", "image": cluster.image(), "command": ["sleep", "1000"],
                "resources": { "requests": { "cpu": MOST } },
            }],
        },
    });
    create(cluster, &pod);
    cluster.ok(&[
        "wait",
        "pod/urgent",
        "--for=condition=Ready",
        "--timeout=180s",
    ]);
    cluster.ok(&["delete", "pod/urgent", "priorityclass/urgent"]);
    held.end(expected, "pod.preempted");
}

/// The node is lost while its kubelet is down. The build goes on until the kubelet is back and ends
/// the pod.
fn without_kubelet(builds: &Builds, expected: &str) {
    let cluster = builds.sandbox.cluster();
    let soon = "tolerations:
- { key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 1 }";
    builds.pipeline("tolerant.yaml", soon, RETRY);
    let held = Held::start(builds, "tolerant.yaml", "unreachable");
    let stopped = cluster.stop("kubelet");
    // The controller sets it on a node that it loses, but not if it has lost all nodes.
    let taint = "node.kubernetes.io/unreachable:NoExecute";
    cluster.ok(&["taint", "node", "node", taint]);
    let deleted = "--for=jsonpath={.metadata.deletionTimestamp}";
    let pod = format!("pod/{}", held.pod);
    cluster.ok(&[
        "wait",
        &pod,
        deleted,
        "--namespace=builds",
        "--timeout=300s",
    ]);
    drop(stopped);
    // The controller may have removed it.
    let _ = cluster.kubectl(&["taint", "node", "node", &format!("{taint}-")]);
    held.end(expected, "pod.node-lost");
    let ready = "--for=condition=Ready";
    cluster.ok(&["wait", "node/node", ready, "--timeout=180s"]);
}
