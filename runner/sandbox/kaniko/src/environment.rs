use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

/// The path of this file in a container; see [`Environment`].
const TERMINATION_LOG: &str = "/dev/termination-log";

/// A folder that does not exist below the working folder of a container.
const OUTSIDE: &str = ".outside";

/// The variables that a pod may set. The sandbox sets the others, and a pod's process of the
/// sandbox gets no more, since others change how a program is loaded or whom it trusts.
pub const VARIABLES: &[&str] = &[
    "DOCKER_CONFIG",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "STORAGE_EMULATOR_HOST",
];

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
/// by their path in the container. Any other path is one below the working folder, so that a build
/// reads and writes no file of the machine.
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
        let Some(mounts) = self.get("SIDESTEP_MOUNTS") else {
            return path.into();
        };
        let mounts: BTreeMap<PathBuf, PathBuf> = serde_json::from_str(mounts).unwrap_or_default();
        let path = cleaned(Path::new(path));
        // The innermost mount applies.
        let inside = path
            .ancestors()
            .find_map(|folder| Some((mounts.get(folder)?, path.strip_prefix(folder).ok()?)));
        let (folder, rest) = match inside {
            Some((folder, rest)) => (folder.as_path(), rest),
            None => (Path::new("."), path.strip_prefix("/").unwrap_or(&path)),
        };
        if is_within(folder, rest) {
            folder.components().chain(rest.components()).collect()
        } else {
            // A file that is not there.
            Path::new(OUTSIDE).join(rest)
        }
    }
}

/// Returns an absolute path without `.` and `..`; a relative one is below the working folder.
fn cleaned(path: &Path) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                clean.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    clean
}

/// Returns whether no link leads from a path below `folder` out of it. The path need not exist.
fn is_within(folder: &Path, rest: &Path) -> bool {
    let path = folder.join(rest);
    let exists = |path: &&Path| path.symlink_metadata().is_ok();
    let Some(existing) = path.ancestors().find(exists) else {
        return true;
    };
    match (existing.canonicalize(), folder.canonicalize()) {
        (Ok(real), Ok(folder)) => real.starts_with(&folder),
        // The folder does not exist, or a link has no target.
        (_, Err(_)) => true,
        (Err(_), Ok(_)) => false,
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
            ("/a/file", "/v/one"),
        ] {
            assert_eq!(environment.file(path), Path::new(here), "{path}");
        }
    }

    #[test]
    fn a_path_outside_of_the_volumes_is_in_the_container_s_folder() {
        let mounts = r#"{"/secret":"/v/key"}"#;
        let environment: Environment = [("SIDESTEP_MOUNTS".to_owned(), mounts.to_owned())]
            .into_iter()
            .collect();
        for (path, here) in [
            ("/secrets/key.json", "secrets/key.json"),
            ("/etc/passwd", "etc/passwd"),
            ("/kaniko/.docker", "kaniko/.docker"),
            ("/secret/../../etc/passwd", "etc/passwd"),
            ("relative", "relative"),
            ("../../up", "up"),
        ] {
            let file = environment.file(path);
            let file = file.strip_prefix(".").expect("below the working folder");
            assert_eq!(file, Path::new(here), "{path}");
        }
        let container = Environment::default();
        assert_eq!(container.file("/etc/passwd"), Path::new("/etc/passwd"));
    }

    #[test]
    fn no_link_of_a_volume_leads_out_of_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let volume = folder.path().join("volume");
        std::fs::create_dir_all(volume.join("inner")).expect("made");
        std::fs::write(folder.path().join("secret"), "s").expect("written");
        for (target, link) in [("..", "up"), ("../new", "dangling"), ("inner", "good")] {
            std::os::unix::fs::symlink(target, volume.join(link)).expect("made");
        }
        let mounts = serde_json::json!({ "/v": volume }).to_string();
        let environment: Environment = [("SIDESTEP_MOUNTS".to_owned(), mounts)]
            .into_iter()
            .collect();
        for path in ["/v/up/secret", "/v/up", "/v/dangling"] {
            assert!(environment.file(path).starts_with(OUTSIDE), "{path}");
        }
        for path in ["/v/good/new", "/v/new/file", "/v"] {
            assert!(environment.file(path).starts_with(&volume), "{path}");
        }
    }
}
