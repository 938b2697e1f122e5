//! Secrets of the step for `RUN --mount=type=secret`.
//!
//! Only the kaniko of osscontainertools mounts them, since 1.26.3 (`--secret`, at first only with a
//! feature switch). Google's last one ignores the mount and builds without the secret, but it does
//! not know the flag either and ends before it builds. So an executor that is known to lack them is
//! refused before the pod, and one whose name does not tell can't build without them.

use sidestep::kubernetes::{CreateOptions, SecretData, SecretEntry};
use sidestep::serde_json::{Value, json};
use sidestep::{Diagnostic, ImageRef, Result, Secret, codes, secrets};

use crate::inputs::Inputs;

/// The switch that was needed until 1.27.0.
pub(crate) const SWITCH: &str = "FF_KANIKO_RUN_MOUNT_SECRET";
/// The volume of the secrets.
const VOLUME: &str = "build-secrets";
/// Their folder in the container. kaniko leaves mounts out of the image.
const FOLDER: &str = "/var/run/secrets/sidestep.dev/build";
/// Google's repositories of kaniko, which was archived without secrets.
const GOOGLES: &str = "gcr.io/kaniko-project/";
/// The repositories of the kaniko that has them, from this version on.
const FORK: (&str, [u32; 3]) = ("ghcr.io/osscontainertools/kaniko", [1, 26, 3]);

/// The step's secrets, by the ids that the Dockerfile names.
pub(crate) struct BuildSecrets {
    /// The name of the Secret that the pod owns.
    name: String,
    by_id: Vec<(String, Secret)>,
}

impl BuildSecrets {
    /// Gets the secrets' handles for a Secret of that name; `None` if the build has none.
    pub(crate) fn get(name: String, inputs: &Inputs) -> Result<Option<Self>> {
        if inputs.build_secrets.is_empty() {
            return Ok(None);
        }
        let all = inputs.build_secrets.iter();
        let by_id = all.map(|(id, name)| Ok((id.clone(), secrets::get(name)?)));
        Ok(Some(Self {
            name,
            by_id: by_id.collect::<Result<_>>()?,
        }))
    }

    /// Adds the volume and its mount to the pod.
    pub(crate) fn mount(&self, pod: &mut Value) {
        mount(&self.name, pod);
    }

    /// Returns the options of the pod's creation: the Secret that it owns.
    pub(crate) fn options(&self) -> CreateOptions<'_> {
        let entries = self.by_id.iter().map(|(id, value)| SecretEntry {
            key: id.clone(),
            value,
        });
        CreateOptions {
            secret_data: vec![SecretData {
                name: self.name.clone(),
                secret_type: "Opaque".to_owned(),
                entries: entries.collect(),
            }],
            ..CreateOptions::temporary()
        }
    }
}

pub(crate) fn mount(name: &str, pod: &mut Value) {
    let volume = json!({ "name": VOLUME, "secret": { "secretName": name, "defaultMode": 0o400 } });
    sidestep_pod::add(&mut pod["spec"]["volumes"], volume);
    let mount = json!({ "name": VOLUME, "mountPath": FOLDER, "readOnly": true });
    sidestep_pod::add(&mut pod["spec"]["containers"][0]["volumeMounts"], mount);
}

/// Returns kaniko's arguments for the secrets.
pub(crate) fn arguments(inputs: &Inputs) -> impl Iterator<Item = String> {
    let ids = inputs.build_secrets.keys();
    ids.map(|id| format!("--secret=id={id},type=file,src={FOLDER}/{id}"))
}

/// Returns the problems of the secrets: ids that are not names, and an executor without them.
pub(crate) fn problems<'a>(
    ids: impl Iterator<Item = &'a String> + Clone,
    executor: Option<&ImageRef>,
) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = ids
        .clone()
        .filter(|id| !is_id(id))
        .map(|id| {
            let message = format!("`{id}` in `buildSecrets` is not an id of a secret");
            Diagnostic::error(codes::kaniko::OPTION, message)
                .help("use letters, digits, `-`, `_` and `.`, as in `--mount=type=secret,id=ID`")
        })
        .collect();
    if ids.count() > 0
        && let Some(image) = executor.filter(|image| lacks(image))
    {
        let message = format!(
            "`buildSecrets` needs another executor: {image} mounts no secrets, and would build without them"
        );
        found.push(
            Diagnostic::error(codes::kaniko::NO_SECRETS, message)
                .help("use the default `executor`, or another version of ghcr.io/osscontainertools/kaniko from v1.26.3 on"),
        );
    }
    found
}

/// Returns whether a text is a key of a Secret (Kubernetes, "Secrets") and one value of `--secret`.
fn is_id(id: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !matches!(id, "" | "." | "..") && id.len() <= 253 && id.bytes().all(is_part)
}

/// Returns whether an executor is known to mount no secrets. A digest or another repository does not
/// tell.
pub(crate) fn lacks(executor: &ImageRef) -> bool {
    let (repository, first) = FORK;
    if executor.as_str().starts_with(GOOGLES) {
        return true;
    }
    if executor.repository() != repository {
        return false;
    }
    let bare = executor.as_str().split('@').next().unwrap_or_default();
    let tag = bare
        .strip_prefix(repository)
        .and_then(|rest| rest.strip_prefix(':'));
    version(tag.unwrap_or_default()).is_some_and(|version| version < first)
}

/// Reads a tag such as `v1.28.3` or `v1.28.3-debug`.
fn version(tag: &str) -> Option<[u32; 3]> {
    let numbers = tag.strip_prefix('v').unwrap_or(tag).split('-').next()?;
    let mut parts = numbers.split('.').map(str::parse);
    let version = [
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next()?.ok()?,
    ];
    parts.next().is_none().then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::example;

    #[test]
    fn a_secret_is_a_file_that_only_the_pod_has_and_kaniko_s_flag_names_it() {
        let inputs =
            example(&json!({ "buildSecrets": { "npm": "npmToken", "ssh.key": "deployKey" } }));
        let arguments: Vec<String> = arguments(&inputs).collect();
        assert_eq!(
            arguments,
            [
                "--secret=id=npm,type=file,src=/var/run/secrets/sidestep.dev/build/npm",
                "--secret=id=ssh.key,type=file,src=/var/run/secrets/sidestep.dev/build/ssh.key",
            ]
        );
        let mut pod = json!({ "spec": { "containers": [{}] } });
        mount("secrets-1", &mut pod);
        assert_eq!(
            pod["spec"]["volumes"][0]["secret"],
            json!({ "secretName": "secrets-1", "defaultMode": 0o400 })
        );
        let mount = &pod["spec"]["containers"][0]["volumeMounts"][0];
        assert_eq!(mount["mountPath"], FOLDER);
        assert_eq!(mount["readOnly"], true);
    }

    #[test]
    fn executors_that_are_known_to_mount_no_secrets_are_refused() {
        for (image, is) in [
            ("gcr.io/kaniko-project/executor:v1.24.0", true),
            ("gcr.io/kaniko-project/executor:debug", true),
            ("ghcr.io/osscontainertools/kaniko:v1.26.2", true),
            ("ghcr.io/osscontainertools/kaniko:v1.25.10-debug", true),
            ("ghcr.io/osscontainertools/kaniko:v1.26.3", false),
            ("ghcr.io/osscontainertools/kaniko:v1.28.3-slim", false),
            ("ghcr.io/osscontainertools/kaniko:latest", false),
            ("europe-docker.pkg.dev/demo/mirror/kaniko:v1.0.0", false),
        ] {
            let executor: ImageRef = image.parse().expect("an image");
            let ids = ["npm".to_owned()];
            let found = problems(ids.iter(), Some(&executor));
            let codes: Vec<&str> = found.iter().map(|found| &*found.code).collect();
            let expected: &[&str] = if is { &["kaniko.no-secrets"] } else { &[] };
            assert_eq!(codes, expected, "{image}");
            assert_eq!(
                problems([].iter(), Some(&executor)),
                [],
                "no secret is needed"
            );
        }
    }

    #[test]
    fn an_id_is_one_value_of_the_flag_and_one_file() {
        for id in ["", "..", "a,src=/etc/shadow", "a/b", "a b", "é"] {
            let ids = [id.to_owned()];
            let found = problems(ids.iter(), None);
            assert_eq!(found[0].code, "kaniko.option", "{id}");
        }
        for id in ["npm", "ssh.key", "A_b-1"] {
            assert_eq!(problems([id.to_owned()].iter(), None), [], "{id}");
        }
    }
}
