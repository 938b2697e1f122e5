//! The files of a container, which in a sandbox are files of the machine.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::Error;

/// The paths that a command may use.
///
/// In a container they are the container's own. A pod of the sandbox is a process of the machine,
/// so there a command may only use the volumes of its pod: the pipeline that names a path must not
/// reach the files of the user.
#[derive(Debug, Clone)]
pub struct Places(Option<BTreeMap<PathBuf, PathBuf>>);

impl Places {
    /// Returns the places of this process. `mounts` is the JSON object that the sandbox sets: the
    /// local paths of the volumes by their paths in the container.
    ///
    /// # Errors
    /// If `mounts` is not such an object.
    pub fn of(mounts: Option<&str>) -> Result<Self, Error> {
        let mounts = mounts.map(serde_json::from_str).transpose();
        mounts
            .map(Self)
            .map_err(|error| Error::wrong(format!("SIDESTEP_MOUNTS can't be read: {error}")))
    }

    /// Returns the local path of an existing file or folder.
    pub(crate) fn local(&self, path: &Path) -> Result<PathBuf, Error> {
        let inner = path.components().all(|part| part != Component::ParentDir);
        if !path.is_absolute() || !inner {
            return Err(Error::wrong(format!(
                "{} is not an absolute path without `..`",
                path.display()
            )));
        }
        let Some(mounts) = &self.0 else {
            return Ok(path.to_owned());
        };
        let outside = || {
            Error::wrong(format!(
                "{} is not in a volume of the pod; in the sandbox a command can use no other path",
                path.display()
            ))
        };
        // The innermost mount applies.
        let mut folders = path.ancestors();
        let (mount, rest) = folders
            .find_map(|folder| Some((mounts.get(folder)?, path.strip_prefix(folder).ok()?)))
            .ok_or_else(outside)?;
        let real = |path: &Path| {
            path.canonicalize()
                .map_err(|error| Error::disk("find", path, &error))
        };
        let mount = real(mount)?;
        let local = if rest.as_os_str().is_empty() {
            mount.clone()
        } else {
            real(&mount.join(rest))?
        };
        // A link in the volume may lead out of it.
        if local.starts_with(&mount) {
            Ok(local)
        } else {
            Err(outside())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_the_sandbox_only_the_volumes_are_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let volume = folder.path().join("volume");
        std::fs::create_dir_all(volume.join("a")).expect("made");
        std::fs::create_dir(folder.path().join("secret")).expect("made");
        std::os::unix::fs::symlink("../secret", volume.join("link")).expect("made");
        let mounts = serde_json::json!({ "/workspace": volume }).to_string();
        let places = Places::of(Some(&mounts)).expect("a map");
        let real = volume.canonicalize().expect("it exists");
        let local = |path: &str| places.local(Path::new(path)).ok();
        assert_eq!(local("/workspace"), Some(real.clone()));
        assert_eq!(local("/workspace/a"), Some(real.join("a")));
        for path in [
            "/",
            "/etc",
            "/workspaces",
            "/workspace/link",
            "/workspace/a/../../secret",
            "/workspace/missing",
            "workspace",
            "",
        ] {
            assert_eq!(local(path), None, "{path}");
        }
    }

    #[test]
    fn in_a_container_all_its_paths_are_there() {
        let places = Places::of(None).expect("nothing to read");
        let local = |path: &str| places.local(Path::new(path)).ok();
        assert_eq!(local("/workspace"), Some(PathBuf::from("/workspace")));
        assert_eq!(local("workspace"), None);
        assert!(Places::of(Some("[]")).is_err());
    }
}
