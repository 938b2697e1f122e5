//! The pods of a namespace as they come and go.

use std::io::BufReader;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Deserializer, Value};
use sidestep_cluster_testing::Cluster;

/// How long the next change may take.
const PATIENCE: Duration = Duration::from_mins(5);

/// A creation or a deletion of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// `ADDED` or `DELETED`.
    pub(crate) kind: String,
    pub(crate) uid: String,
}

/// A watch of the pods of a namespace.
pub(crate) struct PodChanges {
    kubectl: Child,
    changes: Receiver<Change>,
}

impl PodChanges {
    pub(crate) fn of(cluster: &Cluster, namespace: &str) -> Self {
        let mut kubectl = Command::new("kubectl")
            .args(["get", "pods", "--watch", "--output-watch-events"])
            .args(["--output=json", "--namespace", namespace])
            .arg("--kubeconfig")
            .arg(cluster.kubeconfig())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let events = BufReader::new(kubectl.stdout.take().unwrap());
        let (sender, changes) = channel();
        std::thread::spawn(move || {
            let events = Deserializer::from_reader(events).into_iter::<Value>();
            for event in events.map_while(Result::ok) {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let change = Change {
                    kind: text(&event["type"]),
                    uid: text(&event["object"]["metadata"]["uid"]),
                };
                if change.kind != "MODIFIED" && sender.send(change).is_err() {
                    return;
                }
            }
        });
        Self { kubectl, changes }
    }

    /// Returns the next changes, in order.
    pub(crate) fn next(&self, count: usize) -> Vec<Change> {
        let next = |_| self.changes.recv_timeout(PATIENCE).expect("a change");
        (0..count).map(next).collect()
    }
}

impl Drop for PodChanges {
    fn drop(&mut self) {
        let _ = self.kubectl.kill();
        let _ = self.kubectl.wait();
    }
}
