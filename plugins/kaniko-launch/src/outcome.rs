//! What a pod that has ended means.

use sidestep::serde_json::Value;
use sidestep::{Class, Error, Owner, Result};

use crate::diagnosis::of_log;
use crate::identity::Identity;
use crate::inputs::{Inputs, Outputs};
use crate::pod::CONTAINER;
use crate::printed::Printed;

/// The outputs of a build that succeeded, or why it did not. `pod` is the last state that was
/// seen; `tail` the last lines of the log.
pub(crate) fn outcome(
    pod: &Value,
    printed: &Printed,
    tail: &str,
    inputs: &Inputs,
    identity: &Identity<'_>,
) -> Result<Outputs> {
    let status = &pod["status"];
    let ended = status["containerStatuses"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|container| container["name"] == CONTAINER)
        .map_or(&Value::Null, |container| &container["state"]["terminated"]);
    // A container that ended well has built, whatever became of its pod afterwards.
    if ended["exitCode"] == 0 {
        return built(ended, inputs);
    }
    let reason = status["reason"].as_str().unwrap_or_default();
    let message = status["message"].as_str().unwrap_or_default();
    Err(match reason {
        "Evicted" => unavailable("pod.evicted", format!("the node evicted the build: {message}"))
            .help("give the build `memory` and `ephemeralStorage`, so that it is placed where there is room"),
        "NodeLost" | "NodeShutdown" | "Terminated" | "NodeAffinity" | "Shutdown" => {
            unavailable("pod.node-lost", format!("the build's node went away: {message}"))
        }
        "Preempting" => unavailable("pod.preempted", format!("the build was preempted: {message}")),
        "DeadlineExceeded" => Error::new(
            Class::TimedOut,
            "pod.deadline",
            Owner::Author,
            "the build took longer than its time; the cluster ended it",
        )
        .help("give the step a longer `timeout`"),
        _ if ended["reason"] == "OOMKilled" || ended["exitCode"] == 137 => out_of_memory(inputs),
        _ if ended.is_null() => deleted(pod),
        _ => of_log(ended, printed, tail, inputs, identity),
    })
}

fn built(ended: &Value, inputs: &Inputs) -> Result<Outputs> {
    let digest = ended["message"].as_str().unwrap_or_default().trim();
    let hex = digest.strip_prefix("sha256:").unwrap_or_default();
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::failed(
            "kaniko.no-digest",
            "kaniko ended well and wrote no digest, so it can't be told what was pushed",
        )
        .help("see that `executor` is a kaniko image"));
    }
    let images: Vec<String> = inputs
        .destinations
        .iter()
        .map(|image| image.with_digest(digest))
        .collect();
    let image = images
        .first()
        .cloned()
        .ok_or_else(|| Error::invalid_input("inputs.invalid", "`destinations` is empty"))?;
    Ok(Outputs {
        image,
        digest: digest.to_owned(),
        images,
    })
}

fn unavailable(code: &str, message: String) -> Error {
    Error::new(Class::Unavailable, code, Owner::Cluster, message)
}

fn out_of_memory(inputs: &Inputs) -> Error {
    let had = match inputs.memory {
        Some(memory) => format!("its {} bytes", memory.bytes()),
        None => "what its node had to give".to_owned(),
    };
    Error::failed(
        "pod.out-of-memory",
        format!("the build needed more memory than {had}"),
    )
    .help("raise `memory`")
    .help("or take less: fewer and smaller files in one RUN or COPY, no layer cache")
}

fn deleted(pod: &Value) -> Error {
    let name = pod["metadata"]["name"].as_str().unwrap_or("the pod");
    Error::new(
        Class::Failed,
        "pod.deleted",
        Owner::Cluster,
        format!("somebody deleted the build's pod {name} before it ended"),
    )
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;
    use crate::identity::Facts;
    use crate::inputs::example;

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
        outcome(pod, &Printed::default(), "", &inputs, &identity)
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
    fn a_build_that_ended_well_on_an_evicted_pod_is_built() {
        let pod = pod(
            &json!({"phase": "Failed", "reason": "Evicted"}),
            &json!({"exitCode": 0, "message": DIGEST}),
        );
        assert!(end(&pod).is_ok());
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

    #[test]
    fn reasons_of_the_pod_and_the_container_are_told_apart() {
        let cases = [
            (json!({"reason": "Evicted"}), Value::Null, "pod.evicted"),
            (json!({"reason": "NodeLost"}), Value::Null, "pod.node-lost"),
            (
                json!({"reason": "DeadlineExceeded"}),
                Value::Null,
                "pod.deadline",
            ),
            (
                json!({}),
                json!({"exitCode": 137, "reason": "OOMKilled"}),
                "pod.out-of-memory",
            ),
            (json!({"phase": "Running"}), Value::Null, "pod.deleted"),
        ];
        for (status, terminated, expected) in cases {
            assert_eq!(code(&pod(&status, &terminated)), expected);
        }
    }
}
