//! The outcome of a pod that has ended.

use sidestep::serde_json::Value;
use sidestep::{Class, Error, Owner, Result, codes};
use sidestep_kaniko_messages::Kind;

use crate::diagnosis::of_log;
use crate::ending::{Disruption, Ending, Seen, ending};
use crate::identity::Identity;
use crate::inputs::{Inputs, Outputs};
use crate::mesh;
use crate::printed::Printed;
use crate::repair::list_events;

/// The failures that a service mesh causes while it is not ready.
const NO_NETWORK: [Kind; 2] = [Kind::Network, Kind::HostUnknown];

/// Returns the outputs of a build that succeeded, or why it did not. `asked` tells whether this run
/// deleted the pod; `tail` is the end of the log.
pub(crate) fn outcome(
    seen: &Seen,
    asked: bool,
    printed: &Printed,
    tail: &str,
    inputs: &Inputs,
    identity: &Identity<'_>,
) -> Result<Outputs> {
    Err(match ending(seen, asked) {
        Ending::Built(ended) => return built(ended, inputs),
        Ending::Failed(ended) => {
            let error = of_log(ended, printed, tail, inputs, identity);
            match seen.unready() {
                Some(container)
                    if NO_NETWORK
                        .iter()
                        .any(|kind| kind.facts().code == error.code) =>
                {
                    mesh::not_ready(container, &error.message)
                }
                _ => error,
            }
        }
        Ending::OutOfMemory => out_of_memory(inputs),
        Ending::Disrupted(how, message) => disrupted(how, &message),
        Ending::OverTime => Error::new(
            Class::TimedOut,
            codes::pod::DEADLINE,
            Owner::Author,
            "the build exceeded its time limit, and the cluster ended it",
        )
        .help("give the step a longer `timeout`"),
        Ending::Deleted => Error::new(
            Class::Failed,
            codes::pod::DELETED,
            Owner::Cluster,
            "a caller outside this run deleted the build's pod before it ended",
        )
        .help("find the caller in the cluster's audit log, then run the step again"),
        Ending::ByThisRun => Error::new(
            Class::Failed,
            codes::pod::STOPPED,
            Owner::Author,
            "an earlier process of this run deleted the build's pod before it ended",
        )
        .help("run it again"),
        Ending::OtherContainer(other) => mesh::failed(other, &inputs.namespace),
        Ending::NotStarted(why) => Error::new(
            Class::Failed,
            codes::pod::NOT_STARTABLE,
            Owner::Cluster,
            with_reason("the build's pod ended before kaniko started", &why),
        )
        .help("the events of the namespace say why:")
        .helps(list_events(inputs)),
    })
}

/// Returns the failure of a pod that the cluster ended. Running again is safe.
fn disrupted(how: Disruption, message: &str) -> Error {
    let (code, what) = match how {
        Disruption::Drained => (
            codes::pod::EVICTED,
            "the build's pod was evicted, for example because its node is drained for an upgrade",
        ),
        Disruption::Evicted => (codes::pod::EVICTED, "the node evicted the build's pod"),
        Disruption::Preempted => (
            codes::pod::PREEMPTED,
            "the build's pod was preempted by a pod of a higher priority",
        ),
        Disruption::NodeLost => (codes::pod::NODE_LOST, "the build's node was lost"),
    };
    let error = Error::new(
        Class::Unavailable,
        code,
        Owner::Cluster,
        with_reason(what, message),
    );
    let error = match how {
        Disruption::Evicted => error.help(
            "set `memory` and `ephemeralStorage`, so that the build is scheduled to a node with enough room",
        ),
        Disruption::Preempted => {
            error.help("the build's pod has the cluster's default priority, which a cluster administrator can raise (a PriorityClass with `globalDefault: true`)")
        }
        Disruption::Drained | Disruption::NodeLost => error,
    };
    error.help("run it again, or let the step retry: `retry: { attempts: 3, on: [unavailable] }`")
}

/// Returns what happened, with the cluster's own sentence if there is one.
fn with_reason(what: &str, reason: &str) -> String {
    match reason.trim() {
        "" => what.to_owned(),
        reason => format!("{what}: {reason}"),
    }
}

fn built(ended: &Value, inputs: &Inputs) -> Result<Outputs> {
    let digest = ended["message"].as_str().unwrap_or_default().trim();
    let hex = digest.strip_prefix("sha256:").unwrap_or_default();
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::failed(
            codes::kaniko::NO_DIGEST,
            "kaniko succeeded but wrote no digest, so the pushed image is unknown",
        )
        .help("check that `executor` is a kaniko image"));
    }
    let images: Vec<String> = inputs
        .destinations
        .iter()
        .map(|image| image.with_digest(digest))
        .collect();
    let image = images
        .first()
        .cloned()
        .ok_or_else(|| Error::invalid_input(codes::inputs::INVALID, "`destinations` is empty"))?;
    Ok(Outputs {
        image,
        digest: digest.to_owned(),
        images,
    })
}

fn out_of_memory(inputs: &Inputs) -> Error {
    let had = match inputs.memory.and_then(|memory| memory.limit) {
        Some(limit) => format!("its limit of {limit}"),
        None => "its node could provide".to_owned(),
    };
    Error::failed(
        codes::pod::OUT_OF_MEMORY,
        format!("the build needed more memory than {had}"),
    )
    .help("raise `memory`")
    .help("or use less: fewer and smaller files in one RUN or COPY, no layer cache")
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;
    use crate::identity::Facts;
    use crate::inputs::example;
    use crate::pod::CONTAINER;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn pod(status: &Value, terminated: &Value) -> Value {
        let mut pod = json!({"metadata": {"name": "p"}, "status": status});
        if !terminated.is_null() {
            pod["status"]["containerStatuses"] =
                json!([{"name": CONTAINER, "state": {"terminated": terminated}}]);
        }
        pod
    }

    fn end(pod: &Value) -> Result<Outputs> {
        let inputs = example(&json!({}));
        let identity = Identity::known(&inputs, Facts::default());
        let mut seen = Seen::default();
        seen.state(pod);
        seen.end();
        outcome(&seen, false, &Printed::default(), "", &inputs, &identity)
    }

    fn code(pod: &Value) -> String {
        end(pod).expect_err("a failure").code
    }

    #[test]
    fn the_digest_comes_from_the_containers_last_words() {
        let pod = pod(
            &json!({"phase": "Succeeded"}),
            &json!({"exitCode": 0, "message": format!("{DIGEST}\n")}),
        );
        let outputs = end(&pod).expect("built");
        assert_eq!(
            outputs.image,
            format!("europe-docker.pkg.dev/demo/images/hello@{DIGEST}")
        );
        assert_eq!(outputs.images, std::slice::from_ref(&outputs.image));
    }

    #[test]
    fn a_digest_file_without_success_is_no_success() {
        let failed = pod(
            &json!({"phase": "Failed"}),
            &json!({"exitCode": 1, "message": DIGEST}),
        );
        assert_eq!(code(&failed), "kaniko.failed");
        let empty = pod(
            &json!({"phase": "Succeeded"}),
            &json!({"exitCode": 0, "message": "done"}),
        );
        assert_eq!(code(&empty), "kaniko.no-digest");
    }
}
