//! What a pod that has ended means.

use sidestep::serde_json::Value;
use sidestep::{Class, Error, Owner, Result};

use crate::inputs::{Inputs, Outputs};
use crate::pod::CONTAINER;
use crate::signs::{Sign, Signs};

/// How the addresses of Compute Engine's default accounts end.
const NODE_ACCOUNT: &str = "-compute@developer.gserviceaccount.com";

/// The outputs of a build that succeeded, or why it did not. `pod` is the last state that was
/// seen; `tail` the last lines of the log.
pub(crate) fn outcome(pod: &Value, signs: &Signs, tail: &str, inputs: &Inputs) -> Result<Outputs> {
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
        _ => of_log(ended, signs, tail, inputs),
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

/// By what kaniko said.
fn of_log(ended: &Value, signs: &Signs, tail: &str, inputs: &Inputs) -> Error {
    let exit = ended["exitCode"].as_i64().unwrap_or(1);
    let Some((sign, text)) = signs.first() else {
        let error = Error::failed(
            "kaniko.failed",
            format!("kaniko ended with exit code {exit}"),
        );
        return match tail.lines().rev().find(|line| !line.trim().is_empty()) {
            Some(line) => error.help(format!("its last line: {}", line.trim())),
            None => error.help("it wrote no log"),
        };
    };
    let identity = format!("{}/{}", inputs.namespace, inputs.service_account);
    let denied =
        |code: &str, message: String| Error::new(Class::Denied, code, Owner::Cloud, message);
    match sign {
        Sign::NoIdentity => unavailable(
            "pod.no-identity",
            format!("the build got no Google identity: no metadata server answered on its node for {identity}"),
        )
        .help("on a new pod it can be a few seconds late: `retry: { attempts: 3, on: [unavailable] }`")
        .help("else see that the node pool's metadata mode is GKE_METADATA"),
        Sign::BindingMissing => denied(
            "identity.binding-missing",
            format!("the build may not act as its Google service account: {text}"),
        )
        .help(format!("{identity} needs roles/iam.workloadIdentityUser on that account")),
        Sign::AccountGone => denied(
            "identity.account-missing",
            format!("the Google service account that {identity} is annotated with does not exist"),
        ),
        Sign::ContextDenied if text.ends_with(NODE_ACCOUNT) => denied(
            "identity.node-account",
            format!("the build ran as its node's account {text}, not as {identity}"),
        )
        .help("let the node pool that builds serve workload identities (its nodes may be recreated):")
        .help(serve_identities(inputs)),
        Sign::ContextDenied => denied(
            "kaniko.context-denied",
            format!("{text} may not read the context {}", inputs.context),
        )
        .help("let it, as the bucket's owner:")
        .help(grant_reader(text, &inputs.context)),
        Sign::ContextMissing => Error::failed(
            "kaniko.context-missing",
            format!("there is no context {} (any more)", inputs.context),
        )
        .help("run context-upload before this step and pass its `uri`"),
        Sign::PushAnonymous => unavailable(
            "kaniko.push-anonymous",
            "kaniko pushed without any identity: the metadata server did not answer when it asked"
                .to_owned(),
        )
        .help("try again: `retry: { attempts: 3, on: [unavailable] }`"),
        Sign::PushDenied => {
            let error = denied(
                "kaniko.push-denied",
                format!("the build may not push to {text}"),
            );
            match grant_writer(text) {
                Some(command) => error.help("let it, as the repository's owner:").help(command),
                None => error,
            }
        }
        Sign::TagImmutable => Error::failed(
            "kaniko.tag-immutable",
            "the tag exists already, and the repository does not let tags move",
        )
        .help("push another tag, or nothing but the digest"),
        Sign::DockerfileMissing => Error::failed(
            "kaniko.dockerfile-missing",
            format!("the context holds no `{}`", inputs.dockerfile),
        )
        .help("see what it holds:")
        .help(format!("sidestep context ls {}", inputs.path)),
        Sign::BaseMissing => {
            Error::failed("kaniko.base-missing", format!("a base image does not exist: {text}"))
        }
        Sign::RunFailed => Error::failed(
            "kaniko.run-failed",
            format!("a RUN instruction failed with exit code {exit}: {text}"),
        ),
        Sign::PushFailed => {
            Error::failed("kaniko.push-failed", format!("the image was built and not pushed: {text}"))
        }
        Sign::Error => Error::failed("kaniko.failed", format!("kaniko failed: {text}")),
    }
}

fn serve_identities(inputs: &Inputs) -> String {
    let cluster = &inputs.cluster;
    format!(
        "gcloud container node-pools update NODE_POOL --cluster {} --location {} --project {} --workload-metadata=GKE_METADATA",
        cluster.name().unwrap_or_default(),
        cluster.location().unwrap_or_default(),
        cluster.project().unwrap_or_default(),
    )
}

fn grant_reader(member: &str, context: &str) -> String {
    let bucket = context
        .trim_start_matches("gs://")
        .split('/')
        .next()
        .unwrap_or_default();
    let kind = if member.ends_with("gserviceaccount.com") {
        "serviceAccount:"
    } else {
        ""
    };
    format!(
        "gcloud storage buckets add-iam-policy-binding gs://{bucket} --member {kind}{member} --role roles/storage.objectViewer --condition=None"
    )
}

/// The command for `projects/P/locations/L/repositories/R`.
fn grant_writer(resource: &str) -> Option<String> {
    let parts: Vec<&str> = resource.split('/').collect();
    let [
        "projects",
        project,
        "locations",
        location,
        "repositories",
        repository,
    ] = parts[..]
    else {
        return None;
    };
    Some(format!(
        "gcloud artifacts repositories add-iam-policy-binding {repository} --location {location} --project {project} --member MEMBER --role roles/artifactregistry.writer --condition=None"
    ))
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;
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

    fn code(pod: &Value, signs: &Signs) -> String {
        outcome(pod, signs, "", &example(&json!({})))
            .expect_err("a failure")
            .code
    }

    #[test]
    fn the_digest_comes_from_the_containers_last_words() {
        let pod = pod(
            &json!({"phase": "Succeeded"}),
            &json!({"exitCode": 0, "message": format!("{DIGEST}\n")}),
        );
        let outputs = outcome(&pod, &Signs::default(), "", &example(&json!({}))).expect("built");
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
        assert!(outcome(&pod, &Signs::default(), "", &example(&json!({}))).is_ok());
    }

    #[test]
    fn a_digest_file_without_success_is_no_success() {
        let failed = pod(
            &json!({"phase": "Failed"}),
            &json!({"exitCode": 1, "message": DIGEST}),
        );
        assert_eq!(code(&failed, &Signs::default()), "kaniko.failed");
        let empty = pod(
            &json!({"phase": "Succeeded"}),
            &json!({"exitCode": 0, "message": "done"}),
        );
        assert_eq!(code(&empty, &Signs::default()), "kaniko.no-digest");
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
            assert_eq!(
                code(&pod(&status, &terminated), &Signs::default()),
                expected
            );
        }
    }

    #[test]
    fn what_the_log_says_decides_and_names_the_command() {
        let failed = pod(&json!({"phase": "Failed"}), &json!({"exitCode": 1}));
        let mut signs = Signs::default();
        signs.add(Sign::Error, "error checking push permissions".into());
        signs.add(
            Sign::PushDenied,
            "projects/demo/locations/europe/repositories/images".into(),
        );
        let error = outcome(&failed, &signs, "", &example(&json!({}))).expect_err("denied");
        assert_eq!(
            (error.class, error.code.as_str()),
            (Class::Denied, "kaniko.push-denied")
        );
        assert!(error.help[1].starts_with("gcloud artifacts repositories add-iam-policy-binding images --location europe --project demo"));
    }
}
