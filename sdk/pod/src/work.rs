//! The description of a step's pod that its supervision needs.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use sidestep::{ByteSize, Cluster, Command, Error, ImageRef};

use crate::ending::Program;
use crate::nodes::only_served;

/// The description of a step's pod: where it runs, for how long problems may last, and its names in
/// messages.
#[derive(Debug)]
pub struct Work<'a> {
    /// The name of the work: `build`.
    pub noun: &'static str,
    /// The name of the program in the container: `kaniko`.
    pub program: &'static str,
    /// The meaning of its exit code.
    pub exits: Program,
    /// The container that does the work; its log is kept under this name.
    pub container: &'static str,
    /// The names of the containers that the step itself puts beside it. The cluster injects the
    /// others.
    pub sidecars: Vec<&'a str>,
    /// The image of the container that does the work.
    pub image: &'a ImageRef,
    /// The input that sets the image.
    pub image_input: &'static str,
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The pod's namespace.
    pub namespace: &'a str,
    /// The pod's Kubernetes service account.
    pub service_account: &'a str,
    /// Labels of the nodes that the pod may run on.
    pub node_selector: &'a BTreeMap<String, String>,
    /// The container's memory limit.
    pub memory_limit: Option<ByteSize>,
    /// The help for a container that needs less memory than it took.
    pub less_memory: Option<&'static str>,
    /// The help for a pod that the namespace's Pod Security level rejects. A command that shows the
    /// level follows.
    pub pod_security: &'static str,
    /// How long to wait while an image can't be pulled.
    pub pull_grace: Duration,
    /// How long to wait until the pod is scheduled to a node.
    pub pending_grace: Duration,
    /// The context that the pod fetches with the helper image.
    pub context: Option<&'a str>,
    /// The Secrets that the pod mounts.
    pub secrets: Vec<MountedSecret<'a>>,
}

/// A Secret that the pod mounts and that others create.
pub struct MountedSecret<'a> {
    /// The volume's name.
    pub volume: &'a str,
    /// Returns the error for a Secret that can't be mounted, with the kubelet's message.
    pub not_mounted: Box<dyn Fn(&str) -> Error + 'a>,
}

impl fmt::Debug for MountedSecret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MountedSecret")
            .field("volume", &self.volume)
            .finish_non_exhaustive()
    }
}

impl Work<'_> {
    /// Returns whether the pod runs only on nodes where it can't be the node's account.
    pub fn only_served_nodes(&self) -> bool {
        only_served(self.node_selector)
    }

    /// Returns the image with the name of the input that sets it.
    pub(crate) fn image_text(&self) -> String {
        match self.image_input {
            "image" => format!("the image {}", self.image),
            input => format!("the {input} image {}", self.image),
        }
    }

    /// Lists the events of the pod's namespace, which say why a pod does not start.
    pub(crate) fn list_events(&self) -> Option<Command> {
        Command::new(&["kubectl", "get", "events"])
            .option("-n", self.namespace)
            .build()
    }
}

#[cfg(test)]
pub(crate) mod example {
    use std::sync::LazyLock;

    use super::*;

    static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| {
        let name = "projects/demo/locations/europe-west1/clusters/ci";
        name.parse().expect("a cluster")
    });
    static IMAGE: LazyLock<ImageRef> = LazyLock::new(|| {
        "ghcr.io/osscontainertools/kaniko:v1.28.3"
            .parse()
            .expect("an image")
    });
    static SERVED_NODES: LazyLock<BTreeMap<String, String>> =
        LazyLock::new(|| BTreeMap::from([(crate::SERVED.to_owned(), "true".to_owned())]));

    /// Returns a build in a pod, as kaniko-launch describes it.
    pub(crate) fn build() -> Work<'static> {
        Work {
            noun: "build",
            program: "kaniko",
            exits: Program::Kaniko,
            container: "kaniko",
            sidecars: Vec::new(),
            image: &IMAGE,
            image_input: "executor",
            cluster: &CLUSTER,
            namespace: "builds",
            service_account: "kaniko",
            node_selector: &SERVED_NODES,
            memory_limit: None,
            less_memory: None,
            pod_security: "build in a namespace whose Pod Security level is `baseline`:",
            pull_grace: Duration::from_secs(30),
            pending_grace: Duration::from_mins(15),
            context: None,
            secrets: Vec::new(),
        }
    }
}
