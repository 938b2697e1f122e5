//! Opens the container's files by their paths in the container.
//!
//! A pod of the sandbox has no file system of its own, and its paths come from a pipeline or a
//! plugin that is not trusted with the files of this machine. So a path leads into one of the pod's
//! volumes or into the container's own folder, and neither `..` nor a link leaves them.

use crate::{Environment, context::cleaned};
use sidestep_files::Folder;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

/// The path of this file in a container; see [`Environment`].
const TERMINATION_LOG: &str = "/dev/termination-log";
/// The working folder of kaniko's image, which relative paths start from.
const WORKDIR: &str = "/workspace";

/// A path in the container, as a path of this machine.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// The process has the container's file system.
    Same(PathBuf),
    /// A path of a pod of the sandbox: beneath a folder that it may not leave.
    Beneath(PathBuf, PathBuf),
}

impl Environment {
    /// Reads a file.
    pub(crate) fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(path)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Opens a file for reading.
    pub(crate) fn open(&self, path: &str) -> io::Result<File> {
        match self.place(path)? {
            Place::Same(path) => File::open(path),
            Place::Beneath(folder, rest) => {
                let judge = |_: &Path| Ok::<_, sidestep_files::OpenError>(());
                Ok(Folder::open(&folder)?.file(&rest, judge)?)
            }
        }
    }

    /// Returns whether a path is a regular file.
    pub(crate) fn is_file(&self, path: &str) -> bool {
        let opened = self.open(path).and_then(|file| file.metadata());
        opened.is_ok_and(|data| data.is_file())
    }

    /// Returns the local path of a folder, without links.
    pub(crate) fn folder(&self, path: &str) -> io::Result<PathBuf> {
        match self.place(path)? {
            Place::Same(path) => path.canonicalize(),
            Place::Beneath(folder, rest) => {
                let judge = |_: &Path| Ok::<_, sidestep_files::OpenError>(());
                let (_, found) = Folder::open(&folder)?.folder(&rest, judge)?;
                Ok(found.path().to_owned())
            }
        }
    }

    /// Creates or truncates a file.
    pub(crate) fn create(&self, path: &str) -> io::Result<File> {
        match self.place(path)? {
            Place::Same(path) => File::create(path),
            Place::Beneath(folder, rest) => Folder::open(&folder)?.create(&rest),
        }
    }

    /// Writes a file and creates the missing folders above it.
    pub(crate) fn write(&self, path: &str, content: &str) -> io::Result<()> {
        if let Place::Same(path) = self.place(path)?
            && let Some(folder) = path.parent()
            && !folder.as_os_str().is_empty()
        {
            fs::create_dir_all(folder)?;
        }
        self.create(path)?.write_all(content.as_bytes())
    }

    /// Finds the local place of a path in the container.
    fn place(&self, path: &str) -> io::Result<Place> {
        let log = self.get("SIDESTEP_TERMINATION_LOG").map(PathBuf::from);
        let log = log.filter(|_| path == TERMINATION_LOG);
        let Some(mounts) = self.get("SIDESTEP_MOUNTS") else {
            return Ok(Place::Same(log.unwrap_or_else(|| path.into())));
        };
        if let Some(log) = log {
            return itself(&log);
        }
        let mounts: BTreeMap<PathBuf, PathBuf> = serde_json::from_str(mounts)?;
        let path = cleaned(&Path::new(WORKDIR).join(path));
        // The innermost mount applies.
        let inside = path
            .ancestors()
            .find_map(|folder| Some((mounts.get(folder)?, path.strip_prefix(folder).ok()?)));
        match inside {
            Some((here, rest)) if rest.as_os_str().is_empty() => itself(here),
            Some((here, rest)) => Ok(Place::Beneath(here.clone(), rest.to_owned())),
            None => {
                let own = self.get("SIDESTEP_ROOT").ok_or(io::ErrorKind::NotFound)?;
                let rest = path.strip_prefix("/").unwrap_or(&path);
                Ok(Place::Beneath(own.into(), rest.to_owned()))
            }
        }
    }
}

/// Returns the place of a mounted folder or file.
fn itself(mounted: &Path) -> io::Result<Place> {
    let (above, name) = mounted.parent().zip(mounted.file_name()).unzip();
    let above = above.ok_or(io::ErrorKind::NotFound)?;
    let name = name.ok_or(io::ErrorKind::NotFound)?;
    Ok(Place::Beneath(above.into(), name.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::os::unix::fs::symlink;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        variables.iter().map(own).collect()
    }

    #[test]
    fn a_path_outside_of_the_volumes_is_in_the_container_s_folder() {
        let mounts = r#"{"/secret":"/v/key","/secret/deep":"/v/deep","/a/file":"/v/one"}"#;
        let pod = environment(&[
            ("SIDESTEP_MOUNTS", mounts),
            ("SIDESTEP_ROOT", "/pod/main"),
            ("SIDESTEP_TERMINATION_LOG", "/pod/message"),
        ]);
        for (path, folder, rest) in [
            ("/secret/key.json", "/v/key", "key.json"),
            ("/secret/deep/x", "/v/deep", "x"),
            ("/secret/deep/../x", "/v/key", "x"),
            ("/secret", "/v", "key"),
            ("/a/file", "/v", "one"),
            ("/dev/termination-log", "/pod", "message"),
            ("/secrets/key.json", "/pod/main", "secrets/key.json"),
            ("/etc/passwd", "/pod/main", "etc/passwd"),
            ("/kaniko/.docker", "/pod/main", "kaniko/.docker"),
            ("/secret/../../x", "/pod/main", "x"),
            ("/../../etc/passwd", "/pod/main", "etc/passwd"),
            ("relative", "/pod/main", "workspace/relative"),
            ("../../../etc/passwd", "/pod/main", "etc/passwd"),
            ("/", "/pod/main", ""),
            ("", "/pod/main", "workspace"),
        ] {
            let expected = Place::Beneath(folder.into(), rest.into());
            assert_eq!(pod.place(path).expect(path), expected, "{path}");
        }
    }

    #[test]
    fn without_a_folder_of_its_own_or_valid_volumes_a_pod_has_no_other_files() {
        for variables in [
            &[("SIDESTEP_MOUNTS", "{}")][..],
            &[("SIDESTEP_MOUNTS", "["), ("SIDESTEP_ROOT", "/")],
        ] {
            environment(variables)
                .open("/etc/passwd")
                .expect_err("closed");
        }
    }

    #[test]
    fn a_container_s_entry_point_has_the_container_s_files() {
        let container = environment(&[("SIDESTEP_ROOT", "/pod/main")]);
        for path in ["/etc/passwd", "relative", "/a/../b"] {
            let same = Place::Same(path.into());
            assert_eq!(container.place(path).expect(path), same);
        }
    }

    #[test]
    fn links_in_a_volume_do_not_leave_it() {
        let machine = tempfile::tempdir().expect("a folder");
        let volume = tempfile::tempdir().expect("a folder");
        let own = tempfile::tempdir().expect("a folder");
        let secret = machine.path().join("secret");
        fs::write(&secret, "kept").expect("written");
        fs::write(volume.path().join("inside"), "read").expect("written");
        for (target, name) in [
            (secret.as_path(), "file"),
            (machine.path(), "folder"),
            (Path::new("inside"), "fine"),
        ] {
            symlink(target, volume.path().join(name)).expect("made");
        }
        let mounts = json!({ "/v": volume.path() }).to_string();
        let pod = environment(&[
            ("SIDESTEP_MOUNTS", &mounts),
            ("SIDESTEP_ROOT", own.path().to_str().expect("UTF-8")),
        ]);
        assert_eq!(pod.read("/v/fine").expect("read"), b"read");
        for path in ["/v/file", "/v/folder/secret"] {
            pod.read(path).expect_err(path);
            pod.write(path, "changed").expect_err(path);
            assert!(!pod.is_file(path), "{path}");
        }
        pod.folder("/v/folder").expect_err("it leaves");
        let outside = secret.to_str().expect("UTF-8");
        pod.write(outside, "in the pod").expect("written");
        assert_eq!(pod.read(outside).expect("read"), b"in the pod");
        assert_eq!(fs::read_to_string(&secret).expect("read"), "kept");
    }
}
