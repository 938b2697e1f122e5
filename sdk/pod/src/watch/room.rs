//! Help for a pod that no node can run.

use sidestep::{Class, Command, Error, Owner, codes};

use crate::nodes::serve_identities;
use crate::work::Work;

/// Returns why no node can run the pod, with the help for each filter that the scheduler names.
pub(super) fn no_room(message: &str, work: &Work<'_>) -> Error {
    let noun = work.noun;
    let mut error = Error::new(
        Class::Exhausted,
        codes::pod::UNSCHEDULABLE,
        Owner::Cluster,
        format!("no node can run the {noun}: {message}"),
    );
    if message.contains("Insufficient ") {
        error = error
            .help("lower `cpu`, `memory` or `ephemeralStorage`, or allow the cluster to scale up");
    }
    if message.contains("untolerated taint") {
        error = error.help(format!("the remaining nodes have taints that keep the {noun} away; set `tolerations`, or ask a cluster administrator for a node pool without taints"));
    }
    let names_nodes = message.contains("selector") || message.contains("affinity");
    if names_nodes && !work.node_selector.is_empty() {
        let wanted: Vec<String> = work
            .node_selector
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        error = error
            .help(format!(
                "no node has the labels of `nodeSelector` ({}); list the nodes' labels:",
                wanted.join(", ")
            ))
            .helps([Command::fixed(&[
                "kubectl",
                "get",
                "nodes",
                "--show-labels",
            ])]);
        if work.only_served_nodes() {
            error = error.help(
                "on Autopilot, set `nodeSelector: {}`; on a Standard cluster, no node serves workload identities yet, and this enables them (nodes may be recreated):",
            );
            error = error.helps(serve_identities(work.cluster, &[]));
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::work::example::build;

    #[test]
    fn nodes_without_the_label_are_not_answered_with_less_memory() {
        let message =
            "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.";
        let fast = BTreeMap::from([("disk".to_owned(), "fast".to_owned())]);
        let work = Work {
            node_selector: &fast,
            ..build()
        };
        let error = no_room(message, &work);
        let help: Vec<String> = error.help.iter().map(ToString::to_string).collect();
        let help = help.join("\n");
        assert!(!help.contains("memory"), "{help}");
        assert!(help.contains("disk=fast"), "{help}");
        let error = no_room("0/3 nodes are available: 3 Insufficient cpu.", &build());
        assert!(error.help[0].starts_with("lower `cpu`"), "{error:?}");
    }
}
