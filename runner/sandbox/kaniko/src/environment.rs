use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The path of this file in a container; see [`Environment`].
const TERMINATION_LOG: &str = "/dev/termination-log";

/// The environment variables of the container.
///
/// These are read: `GOOGLE_APPLICATION_CREDENTIALS` (a service account's key file, which takes
/// precedence over the metadata server), `GCE_METADATA_HOST` (the metadata server's `HOST:PORT`),
/// `SIDESTEP_ENDPOINT_STORAGE`, `SIDESTEP_ENDPOINT_REGISTRY` and `SIDESTEP_ENDPOINT_STS` (base URLs
/// in place of Google's), `SIDESTEP_SANDBOX_PROJECTS` (the projects whose repositories are in the
/// sandbox, separated by commas), and `STORAGE_EMULATOR_HOST` (as Google's Go client reads it:
/// without credentials).
///
/// A pod of the sandbox has no file system of its own. `SIDESTEP_TERMINATION_LOG` is the file in
/// place of `/dev/termination-log`, and `SIDESTEP_MOUNTS` the volumes: a JSON object of local paths
/// by their path in the container.
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

    /// Returns the local path of a path in the container.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        if let Some(file) = self.get("SIDESTEP_TERMINATION_LOG")
            && path == TERMINATION_LOG
        {
            return file.into();
        }
        let mounts: BTreeMap<PathBuf, PathBuf> = self
            .get("SIDESTEP_MOUNTS")
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        // The innermost mount applies.
        let path = Path::new(path);
        let inside = path
            .ancestors()
            .find_map(|folder| Some((mounts.get(folder)?, path.strip_prefix(folder).ok()?)));
        match inside {
            Some((here, rest)) if rest.as_os_str().is_empty() => here.clone(),
            Some((here, rest)) => here.join(rest),
            None => path.to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_below_a_mount_lies_where_the_volume_does() {
        let mounts = r#"{"/secret":"/v/key","/secret/deep":"/v/deep","/a/file":"/v/one"}"#;
        let environment: Environment = [("SIDESTEP_MOUNTS".to_owned(), mounts.to_owned())]
            .into_iter()
            .collect();
        for (path, here) in [
            ("/secret/key.json", "/v/key/key.json"),
            ("/secret/deep/x", "/v/deep/x"),
            ("/secrets/key.json", "/secrets/key.json"),
            ("/a/file", "/v/one"),
            ("relative", "relative"),
        ] {
            assert_eq!(environment.file(path), Path::new(here), "{path}");
        }
    }
}
