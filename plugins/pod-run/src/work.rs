//! The command as the supervision of its pod needs to know it.

use sidestep_pod::{Program, Work};

use crate::inputs::Inputs;
use crate::pod::CONTAINER;

impl Inputs {
    /// Returns the description of the command's pod.
    pub(crate) fn work(&self) -> Work<'_> {
        let sidecars = self.sidecars.iter();
        Work {
            noun: "command",
            program: "the command",
            exits: Program::Any,
            container: CONTAINER,
            sidecars: sidecars.map(|one| one.name.as_str()).collect(),
            image: &self.image,
            image_input: "image",
            cluster: &self.cluster,
            namespace: &self.namespace,
            service_account: &self.service_account,
            node_selector: &self.node_selector,
            memory_limit: self.memory.and_then(|memory| memory.limit),
            less_memory: None,
            pod_security: "set `user` to a number other than 0 and `capabilities: { drop: [ALL] }` for the level `restricted`, or run in a namespace whose Pod Security level allows the pod. The levels of this namespace are among its labels:",
            pull_grace: self.pull_grace.get(),
            pending_grace: self.pending_grace.get(),
            context: self.context.as_deref(),
            secrets: Vec::new(),
        }
    }
}
