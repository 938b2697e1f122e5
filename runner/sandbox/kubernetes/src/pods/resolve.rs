//! A container's inputs: its environment with every reference resolved, and its volumes as local
//! folders.

mod environment;
mod volumes;

use std::fmt;
use std::io;
use std::path::PathBuf;

use serde_json::Value;

use crate::key::Key;
use crate::store::Store;
use crate::tokens::Tokens;

use environment::expand;

/// A path in the container that maps to a local path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The path in the container.
    pub path: String,
    /// The local folder or file.
    pub host: PathBuf,
    /// Whether the container cannot write to it.
    pub read_only: bool,
}

/// A container with everything that a runtime needs to start it.
#[derive(Clone, PartialEq, Eq)]
pub struct ResolvedContainer {
    /// The container's name in the pod.
    pub name: String,
    /// The container's image, as written.
    pub image: String,
    /// The entry point; empty for the image's own.
    pub command: Vec<String>,
    /// The arguments, with `$(NAME)` replaced.
    pub args: Vec<String>,
    /// The environment, in order.
    pub env: Vec<(String, String)>,
    /// The volumes and the termination message file.
    pub mounts: Vec<Mount>,
    /// The working folder, if the pod sets one.
    pub working_dir: Option<String>,
    /// A local folder of the container's own.
    pub folder: PathBuf,
    /// The local file behind the container's `terminationMessagePath`.
    pub termination_message: PathBuf,
    /// The number of earlier starts in this pod.
    pub restarts: u64,
    /// The memory limit in bytes, if there is one.
    pub memory_limit: Option<u64>,
}

impl fmt::Debug for ResolvedContainer {
    /// Omits the environment and the arguments, which may contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolvedContainer")
            .field("name", &self.name)
            .field("image", &self.image)
            .field("restarts", &self.restarts)
            .finish_non_exhaustive()
    }
}

/// The reason why a container cannot be created yet.
#[derive(Debug)]
pub(crate) enum Missing {
    /// A reference in the environment: the container waits with `CreateContainerConfigError`.
    Config(String),
    /// A volume: the pod waits, with a `FailedMount` event.
    Mount(String),
}

pub(crate) struct Resolver<'a> {
    pub(crate) store: &'a Store,
    pub(crate) tokens: &'a Tokens,
    pub(crate) pod: &'a Value,
    /// The pod's local folder.
    pub(crate) dir: PathBuf,
}

impl Resolver<'_> {
    fn namespace(&self) -> &str {
        self.pod["metadata"]["namespace"]
            .as_str()
            .unwrap_or_default()
    }

    fn object(&self, plural: &str, name: &str) -> Option<std::sync::Arc<Value>> {
        self.store.get(&Key::new(plural, self.namespace(), name))
    }

    /// Returns a field of the pod, as in the downward API.
    fn field(&self, path: &str) -> String {
        let pod = self.pod;
        if let Some((map, key)) = path.strip_suffix("']").and_then(|p| p.split_once("['")) {
            let map = map.strip_prefix("metadata.").unwrap_or(map);
            return pod["metadata"][map][key]
                .as_str()
                .unwrap_or_default()
                .to_owned();
        }
        match path.split('.').fold(pod, |at, part| &at[part]) {
            Value::String(text) => text.clone(),
            Value::Object(map) => {
                let lines: Vec<String> = map
                    .iter()
                    .map(|(k, v)| format!("{k}=\"{}\"", v.as_str().unwrap_or_default()))
                    .collect();
                lines.join("\n")
            }
            _ => String::new(),
        }
    }

    /// Returns a container that is ready to be started.
    pub(crate) fn container(
        &self,
        container: &Value,
        restarts: u64,
    ) -> Result<ResolvedContainer, Missing> {
        let text = |field: &str| container[field].as_str().unwrap_or_default().to_owned();
        let name = text("name");
        let env = self.environment(container)?;
        let words = |field: &str| -> Vec<String> {
            container[field]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|w| w.as_str().map(|w| expand(w, &env)))
                .collect()
        };
        let message = self
            .dir
            .join("termination")
            .join(format!("{name}-{restarts}"));
        let failed = |error: io::Error| Missing::Config(format!("the sandbox's disk: {error}"));
        let folder = self.dir.join("containers").join(&name);
        for folder in [&self.dir.join("termination"), &folder] {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        if !message.exists() {
            std::fs::write(&message, b"").map_err(failed)?;
        }
        let mut mounts = self.mounts(container);
        mounts.push(Mount {
            path: text("terminationMessagePath"),
            host: message.clone(),
            read_only: false,
        });
        Ok(ResolvedContainer {
            command: words("command"),
            args: words("args"),
            name,
            image: text("image"),
            env,
            mounts,
            working_dir: container["workingDir"].as_str().map(str::to_owned),
            folder,
            termination_message: message,
            restarts,
            memory_limit: container["resources"]["limits"]["memory"]
                .as_str()
                .and_then(super::quantity::thousandths)
                .and_then(|t| u64::try_from(t / 1000).ok()),
        })
    }
}
