use std::collections::BTreeMap;

/// The variables that a pod of the sandbox may set. Its process runs on the user's machine and gets
/// no others of the pod: the loader, the C library and HTTP clients read many.
pub const VARIABLES: &[&str] = &[
    "DOCKER_CONFIG",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "STORAGE_EMULATOR_HOST",
];

/// The environment variables of the container.
///
/// These are read: `DOCKER_CONFIG` (the folder of Docker's `config.json`),
/// `GOOGLE_APPLICATION_CREDENTIALS` (a service account's key file, which takes precedence over the
/// metadata server), `GCE_METADATA_HOST` (the metadata server's `HOST:PORT`),
/// `SIDESTEP_ENDPOINT_STORAGE`, `SIDESTEP_ENDPOINT_REGISTRY` and `SIDESTEP_ENDPOINT_STS` (base URLs
/// in place of Google's), `SIDESTEP_SANDBOX_PROJECTS` (the projects whose repositories are in the
/// sandbox, separated by commas), and `STORAGE_EMULATOR_HOST` (as Google's Go client reads it:
/// without credentials).
///
/// A pod of the sandbox has no file system of its own. `SIDESTEP_TERMINATION_LOG` is the file in
/// place of `/dev/termination-log`, and `SIDESTEP_MOUNTS` the volumes: a JSON object of local paths
/// by their path in the container. With it, every other path is beneath the folder that
/// `SIDESTEP_ROOT` names, so that no path of a pod is a path of this machine.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// Returns the environment of this process.
    #[expect(
        clippy::disallowed_methods,
        reason = "the container's, which the pod sets"
    )]
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
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self {
            variables: variables.into_iter().collect(),
        }
    }
}
