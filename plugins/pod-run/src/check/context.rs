//! Checks the inputs of the command's context.

use sidestep::Diagnostic;

use super::wrong;
use crate::inputs::Known;

/// The folders in which a container runtime mounts its own files.
const RUNTIME_S: [&str; 3] = ["/dev", "/proc", "/sys"];

/// An input: `None` if another step provides it.
type Input<'a> = Option<&'a Option<String>>;

/// Returns what is wrong with the context. An input that another step provides is not known yet.
pub(super) fn context(inputs: &Known) -> Vec<Diagnostic> {
    let context = inputs.context.as_ref();
    let digest = inputs.context_digest.as_ref();
    let folder = inputs.context_folder.as_ref();
    let helper = inputs.helper_image.as_ref();
    let mut found = Vec::new();
    let mut problem = |message: String, help: &str| found.push(wrong(message).help(help));
    let is_set = !is_absent(context);
    if is_set && is_absent(folder) {
        problem(
            "`context` is set without `contextFolder`".to_owned(),
            "set `contextFolder` to the folder that the command reads, such as /workspace",
        );
    }
    if is_set && is_absent(helper) {
        problem(
            "`context` needs the helper image, which fetches it in the pod".to_owned(),
            "the operator names the image in the setting `helperImage`; docs/pod-run.md says how it is made",
        );
    }
    if !is_set {
        for (name, value) in [("contextFolder", folder), ("contextDigest", digest)] {
            if !is_absent(value) {
                problem(
                    format!("`{name}` is set without `context`"),
                    "set `context` to the output `uri` of context-upload, or remove it",
                );
            }
        }
    }
    if let Some(uri) = value(context).filter(|uri| !is_object(uri)) {
        problem(
            format!("`context` is {uri}, which is not the address of an object"),
            "write gs://BUCKET/OBJECT, or use the output `uri` of context-upload",
        );
    }
    if let Some(digest) = value(digest).filter(|text| !is_digest(text)) {
        problem(
            format!("`contextDigest` is {digest}, which is not a digest"),
            "use the output `digest` of context-upload: `sha256:` and 64 digits",
        );
    }
    if let Some(folder) = value(folder).filter(|folder| !is_folder(folder)) {
        problem(
            format!("`contextFolder` is {folder}, which can't be a volume of the container"),
            "write an absolute path without `.` and `..`, such as /workspace",
        );
    }
    found
}

/// Returns whether an input is not set; one that another step provides is set.
fn is_absent(input: Input<'_>) -> bool {
    matches!(input, Some(None))
}

fn value(input: Input<'_>) -> Option<&str> {
    input?.as_deref()
}

fn is_object(uri: &str) -> bool {
    let rest = uri.strip_prefix("gs://");
    let parts = rest.and_then(|rest| rest.split_once('/'));
    parts.is_some_and(|(bucket, object)| !bucket.is_empty() && !object.is_empty())
}

fn is_digest(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:");
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    hex.is_some_and(|hex| hex.len() == 64 && hex.bytes().all(digit))
}

fn is_folder(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else {
        return false;
    };
    let is_name = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(':');
    let within = |folder: &str| path == folder || path.starts_with(&format!("{folder}/"));
    rest.split('/').all(is_name) && !RUNTIME_S.iter().any(|folder| within(folder))
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::{Value, from_value, json};

    use super::*;

    /// An input that another step provides.
    const LATER: &str = "later";

    fn messages(given: &Value) -> Vec<String> {
        let mut inputs = json!({
            "context": null, "contextDigest": null, "contextFolder": null,
            "helperImage": "example.com/sidestep:1",
        });
        let known = inputs.as_object_mut().expect("an object");
        for (key, value) in given.as_object().expect("an object") {
            if *value == LATER {
                known.remove(key);
            } else {
                known.insert(key.clone(), value.clone());
            }
        }
        let inputs: Known = from_value(inputs).expect("known inputs");
        let found = context(&inputs).into_iter();
        found.map(|one| one.message).collect()
    }

    #[test]
    fn a_context_of_another_step_is_complete_or_named() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for good in [
            json!({}),
            json!({ "context": LATER, "contextFolder": "/workspace" }),
            json!({ "context": "gs://b/a", "contextFolder": "/a/b", "contextDigest": digest }),
            json!({ "context": LATER, "contextFolder": LATER, "contextDigest": LATER }),
        ] {
            assert_eq!(messages(&good), [""; 0], "{good}");
        }
        for (inputs, message) in [
            (
                json!({ "context": LATER }),
                "`context` is set without `contextFolder`",
            ),
            (
                json!({ "context": LATER, "contextFolder": "/a", "helperImage": null }),
                "`context` needs the helper image, which fetches it in the pod",
            ),
            (
                json!({ "contextFolder": "/a" }),
                "`contextFolder` is set without `context`",
            ),
            (
                json!({ "contextDigest": LATER }),
                "`contextDigest` is set without `context`",
            ),
            (
                json!({ "context": "./app", "contextFolder": "/a" }),
                "`context` is ./app, which is not the address of an object",
            ),
        ] {
            assert_eq!(messages(&inputs), [message], "{inputs}");
        }
    }

    #[test]
    fn a_folder_is_one_that_a_volume_can_have() {
        for folder in [
            "/",
            "workspace",
            "/a/../b",
            "/a//b",
            "/a/",
            "/a:b",
            "/dev",
            "/proc/1",
        ] {
            let found = messages(&json!({ "context": LATER, "contextFolder": folder }));
            assert_eq!(found.len(), 1, "{folder}: {found:?}");
        }
        let found = messages(&json!({ "context": LATER, "contextFolder": "/devices" }));
        assert_eq!(found, [""; 0]);
    }
}
