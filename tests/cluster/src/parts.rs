//! Stops and starts the parts of a cluster of our own.

use std::fs;
use std::time::{Duration, Instant};

use crate::own::Own;
use crate::{Cluster, Source};

/// How long a part may take to answer. An API server takes 3 s on 2 idle cores.
const PATIENCE: Duration = Duration::from_mins(2);

/// A stopped part of a cluster, which is started when this value is dropped.
#[derive(Debug)]
pub struct Stopped<'c> {
    cluster: &'c Cluster,
    part: &'static str,
}

impl Cluster {
    /// Kills a part, such as `kubelet`.
    ///
    /// # Panics
    /// If the cluster is the user's.
    pub fn stop(&self, part: &'static str) -> Stopped<'_> {
        self.own().part("stop", part);
        Stopped {
            cluster: self,
            part,
        }
    }

    /// Adds lines to the kubelet's configuration, and starts the kubelet again.
    ///
    /// # Panics
    /// If the cluster is the user's.
    pub fn configure_kubelet(&self, lines: &str) -> Configured<'_> {
        let file = self.own().folder().join("configuration/kubelet.yaml");
        let before = fs::read_to_string(&file).expect("a configuration");
        let configured = Configured {
            cluster: self,
            before: before.clone(),
        };
        self.restart_kubelet(&format!("{before}{lines}"));
        configured
    }

    fn restart_kubelet(&self, configuration: &str) {
        let file = self.own().folder().join("configuration/kubelet.yaml");
        let stopped = self.stop("kubelet");
        fs::write(file, configuration).expect("written");
        drop(stopped);
    }

    fn own(&self) -> &Own {
        match &self.0 {
            Source::Own(own) => own,
            Source::Users(_) => panic!("a part of a user's cluster is not ours to stop"),
        }
    }
}

/// A changed configuration of the kubelet, which ends when this value is dropped.
#[derive(Debug)]
pub struct Configured<'c> {
    cluster: &'c Cluster,
    before: String,
}

impl Drop for Configured<'_> {
    fn drop(&mut self) {
        self.cluster.restart_kubelet(&self.before);
    }
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.cluster.own().part("start", self.part);
        // Any request shows an API server, and the node's proxy shows a kubelet.
        let request = match self.part {
            "kube-apiserver" => "--raw=/readyz",
            "kubelet" => "--raw=/api/v1/nodes/node/proxy/healthz",
            _ => return,
        };
        let started = Instant::now();
        while !self.cluster.kubectl(&["get", request]).status.success() {
            let late = started.elapsed() > PATIENCE && !std::thread::panicking();
            assert!(!late, "{} does not answer", self.part);
        }
    }
}
