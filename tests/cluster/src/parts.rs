//! Stops and starts the parts of a cluster of our own.

use std::fs;
use std::path::PathBuf;
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
        self.configure("kubelet", "kubelet.yaml", lines)
    }

    /// Starts the API server again with more arguments.
    ///
    /// # Panics
    /// If the cluster is the user's.
    pub fn configure_api_server(&self, arguments: &[&str]) -> Configured<'_> {
        let part = "kube-apiserver";
        self.configure(part, "kube-apiserver.arguments", &arguments.join("\n"))
    }

    /// Adds a text to a file that a part reads, and starts the part again.
    fn configure(&self, part: &'static str, file: &str, more: &str) -> Configured<'_> {
        let file = self.own().folder().join("configuration").join(file);
        let configured = Configured {
            cluster: self,
            part,
            // Only the kubelet has one from the start.
            before: fs::read_to_string(&file).unwrap_or_default(),
            file,
        };
        configured.restart(&format!("{}{more}", configured.before));
        configured
    }

    fn own(&self) -> &Own {
        match &self.0 {
            Source::Own(own) => own,
            Source::Users(_) => panic!("a part of a user's cluster is not ours to stop"),
        }
    }
}

/// A changed configuration of a part, which ends when this value is dropped.
#[derive(Debug)]
pub struct Configured<'c> {
    cluster: &'c Cluster,
    part: &'static str,
    file: PathBuf,
    before: String,
}

impl Configured<'_> {
    fn restart(&self, configuration: &str) {
        let stopped = self.cluster.stop(self.part);
        fs::write(&self.file, configuration).expect("written");
        drop(stopped);
    }
}

impl Drop for Configured<'_> {
    fn drop(&mut self) {
        self.restart(&self.before);
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
