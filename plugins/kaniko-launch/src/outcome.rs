//! The outcome of a build whose pod has ended.

use sidestep::serde_json::Value;
use sidestep::{Error, Result, codes};
use sidestep_kaniko_messages::Kind;
use sidestep_pod::{Exit, Followed, exit, not_ready};

use crate::diagnosis::of_log;
use crate::identity::Identity;
use crate::inputs::{Inputs, Outputs, Times};
use crate::printed::Printed;

/// The failures that a service mesh causes while it is not ready.
const NO_NETWORK: [Kind; 2] = [Kind::Network, Kind::HostUnknown];

/// Returns the outputs of a build that succeeded, or why it did not.
pub(crate) fn outcome(
    followed: &Followed,
    printed: &Printed,
    inputs: &Inputs,
    identity: &Identity<'_>,
) -> Result<Outputs> {
    let Followed { seen, asked, tail } = followed;
    let work = inputs.work();
    let ended = match exit(seen, *asked, &work)? {
        Exit::Succeeded(ended) => return built(ended, inputs),
        Exit::Failed(ended) => ended,
    };
    let error = of_log(ended, printed, tail, inputs, identity);
    let mut without_network = NO_NETWORK.iter();
    Err(match seen.unready() {
        Some(container) if without_network.any(|kind| kind.facts().code == error.code) => {
            not_ready(container, &error.message, &work)
        }
        _ => error,
    })
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
        checked: false,
        size: None,
        layers: None,
        times: Times::default(),
    })
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;
    use sidestep_pod::Seen;

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
        let mut seen = Seen::new(CONTAINER);
        seen.state(pod);
        seen.end();
        let followed = Followed {
            seen,
            asked: false,
            tail: String::new(),
        };
        outcome(&followed, &Printed::default(), &inputs, &identity)
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
