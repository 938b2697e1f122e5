use std::{collections::BTreeMap, path::PathBuf};

/// Where a container would have this file; see [`Environment`].
const TERMINATION_LOG: &str = "/dev/termination-log";

/// The environment variables of the container.
///
/// Read are `GCE_METADATA_HOST` (the metadata server's `HOST:PORT`),
/// `SIDESTEP_ENDPOINT_STORAGE` and `SIDESTEP_ENDPOINT_REGISTRY` (base URLs in
/// place of Google's), `STORAGE_EMULATOR_HOST` (as Google's Go client reads it:
/// without credentials), and `SIDESTEP_TERMINATION_LOG`: the file that stands for
/// `/dev/termination-log`, as a pod of the sandbox has no file system of its own.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub(crate) fn endpoint(&self, name: &str) -> Option<String> {
        self.get(name)
            .map(|url| url.trim_end_matches('/').to_owned())
    }

    /// Where a path of the container lies on this machine.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        match self.get("SIDESTEP_TERMINATION_LOG") {
            Some(file) if path == TERMINATION_LOG => file.into(),
            _ => path.into(),
        }
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self {
            variables: variables.into_iter().collect(),
        }
    }
}
