use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::num::NonZero;
use std::path::Path;

use serde::Deserialize;
use sidestep_events::{Diagnostic, Exit};

use super::{Color, ENDPOINTS, OnTerminate, Size, Time};

/// A settings file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct File {
    /// `dir:PATH`.
    pub(crate) state: Option<String>,
    pub(crate) color: Option<Color>,
    pub(crate) max_parallel: Option<NonZero<usize>>,
    pub(crate) on_terminate: Option<OnTerminate>,
    pub(crate) compile_time: Option<Time>,
    pub(crate) compile_memory: Option<Size>,
    pub(crate) memory: Option<Size>,
    pub(crate) endpoints: BTreeMap<String, String>,
    pub(crate) clusters: BTreeMap<String, ClusterAccess>,
    /// Settings that nothing else may change; the machine's file only.
    pub(crate) lock: Vec<String>,
}

/// How a cluster is reached.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ClusterAccess {
    /// Through a context of the kubeconfig.
    Context(String),
    /// From within: with the pod's own service account.
    InCluster {},
}

impl fmt::Display for ClusterAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Context(context) => write!(f, "kubeconfig context {context}"),
            Self::InCluster {} => f.write_str("in cluster"),
        }
    }
}

impl File {
    /// Reads a settings file; one that isn't there says nothing. `operator` tells whether it may
    /// say where credentials go.
    pub(crate) fn read(path: &Path, operator: bool) -> Result<Self, Vec<Diagnostic>> {
        let problem = |message: String| {
            vec![
                Diagnostic::error("settings.wrong", format!("{}: {message}", path.display()))
                    .with_help("mend the file, or move it away")
                    .with_exit(Exit::Configuration),
            ]
        };
        let text = match std::fs::read_to_string(path) {
            Ok(text) if text.trim().is_empty() => return Ok(Self::default()),
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(problem(format!("can't be read: {error}"))),
        };
        let file: Self =
            serde_saphyr::from_str(&text).map_err(|error| problem(error.to_string()))?;
        let places = !file.endpoints.is_empty() || !file.clusters.is_empty();
        if places && !operator {
            return Err(problem(
                "endpoints and clusters receive credentials, so a project's file can't set them; \
                 set them in the user's file, or with SIDESTEP_ENDPOINT_NAME"
                    .to_owned(),
            ));
        }
        let bounds = [
            file.compile_time.is_some(),
            file.compile_memory.is_some(),
            file.memory.is_some(),
        ];
        if bounds.contains(&true) && !operator {
            return Err(problem(
                "compileTime, compileMemory and memory bound what a project may use, so its own \
                 file can't set them; set them in the user's file, or with SIDESTEP_COMPILE_TIME, \
                 SIDESTEP_COMPILE_MEMORY and SIDESTEP_MEMORY"
                    .to_owned(),
            ));
        }
        let unknown = file
            .endpoints
            .keys()
            .find(|name| !ENDPOINTS.contains(&name.as_str()));
        if let Some(name) = unknown {
            return Err(problem(format!(
                "there is no endpoint `{name}`; there are {}",
                ENDPOINTS.join(", ")
            )));
        }
        Ok(file)
    }
}
