//! The folder of a cluster: its keys, configuration and logs, and its keeper.

use std::fs::{self, File, Permissions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::cache::cache;
use super::claim::is_lock;
use crate::Result;

/// The folder of one cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClusterFolder(PathBuf);

impl ClusterFolder {
    /// Returns the place of a user's cluster.
    pub(super) fn named(name: &str) -> Self {
        Self(named_clusters().join(name))
    }

    /// Returns the place in a folder that the caller chose.
    pub(super) fn at(folder: PathBuf) -> Self {
        Self(folder)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.0
    }

    /// Returns the kubeconfig of an administrator on the machine.
    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.0.join("kubeconfig")
    }

    /// Returns the kubeconfig of an administrator in the cluster's namespaces.
    pub(super) fn kubeconfig_inside(&self) -> PathBuf {
        self.kubeconfig_of("admin")
    }

    /// Returns the kubeconfig of a user of the API server.
    pub(super) fn kubeconfig_of(&self, user: &str) -> PathBuf {
        self.configuration(&format!("{user}.kubeconfig"))
    }

    /// Returns the socket that leads to the API server.
    pub(super) fn socket(&self) -> PathBuf {
        self.0.join("api.socket")
    }

    /// Returns the socket of a test that serves Google's names.
    pub(super) fn google_socket(&self) -> PathBuf {
        self.0.join("google.socket")
    }

    /// Returns the folder that tells containerd which authorities to trust, by registry
    /// (containerd's docs/hosts.md).
    pub(super) fn registries(&self) -> PathBuf {
        self.configuration("registries")
    }

    /// Returns the node's `/etc/hosts`, to which a test adds names.
    pub(super) fn hosts(&self) -> PathBuf {
        self.configuration("hosts")
    }

    /// Returns the file with the port of the API server on the machine.
    pub(super) fn port_file(&self) -> PathBuf {
        self.0.join("port")
    }

    pub(super) fn key(&self, name: &str) -> PathBuf {
        self.0.join("keys").join(name)
    }

    pub(super) fn configuration(&self, name: &str) -> PathBuf {
        self.0.join("configuration").join(name)
    }

    pub(super) fn log(&self, part: &str) -> PathBuf {
        self.0.join("logs").join(format!("{part}.log"))
    }

    /// Returns the mount point of the file system in memory that holds all data. It is mounted only
    /// in the cluster's mount namespace.
    pub(super) fn memory(&self) -> PathBuf {
        self.0.join("memory")
    }

    /// Creates the folder anew. Only its owner may read it: it contains keys.
    pub(super) fn create(&self) -> Result<()> {
        self.remove()?;
        fs::create_dir_all(&self.0)
            .and_then(|()| fs::set_permissions(&self.0, Permissions::from_mode(0o700)))
            .map_err(|error| format!("cannot create {}: {error}", self.0.display()))?;
        for name in [
            "keys",
            "configuration/cni",
            "configuration/registries",
            "logs",
            "memory",
            "parts",
        ] {
            let folder = self.0.join(name);
            fs::create_dir_all(&folder)
                .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
        }
        Ok(())
    }

    /// Removes the folder.
    pub(super) fn remove(&self) -> Result<()> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(format!("cannot remove {}: {error}", self.0.display()))
            }
            _ => Ok(()),
        }
    }

    /// Locks the folder for its keeper. The lock ends with the returned file.
    pub(super) fn lock(&self) -> Result<File> {
        let path = self.lock_file();
        let error = |error| format!("cannot lock {}: {error}", path.display());
        let file = File::create(&path).map_err(error)?;
        file.lock().map_err(error)?;
        Ok(file)
    }

    /// Returns whether a keeper holds this place.
    pub(super) fn is_live(&self) -> bool {
        // Shared, so that two processes that ask at once do not take each other for the keeper.
        let held = |file: File| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
        File::open(self.lock_file()).is_ok_and(held)
    }

    fn lock_file(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// Returns the process identifier of the first process, as seen from outside.
    pub(super) fn first(&self) -> Result<u32> {
        let path = self.first_file();
        let text = fs::read_to_string(&path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        text.trim()
            .parse()
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    pub(super) fn first_file(&self) -> PathBuf {
        self.0.join("first.pid")
    }

    /// Returns the file with the process identifier of a running part, as seen in the cluster.
    pub(super) fn running(&self, part: &str) -> PathBuf {
        self.0.join("parts").join(format!("{part}.pid"))
    }

    /// Returns the file that exists while a part is to stay down.
    pub(super) fn stopped(&self, part: &str) -> PathBuf {
        self.0.join("parts").join(format!("{part}.stopped"))
    }

    /// Returns the file that names the cgroup of the pods, or is empty.
    pub(super) fn cgroup_file(&self) -> PathBuf {
        self.0.join("cgroup")
    }

    /// Returns why the cluster ended by itself.
    pub(super) fn ended(&self) -> Option<String> {
        fs::read_to_string(self.ended_file()).ok()
    }

    pub(super) fn ended_file(&self) -> PathBuf {
        self.0.join("ended")
    }

    /// Writes a file of the place.
    pub(super) fn write(path: &Path, text: &str) -> Result<()> {
        fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
    }
}

/// Returns the names of the clusters that have a folder.
pub(super) fn names() -> Result<Vec<String>> {
    let folder = named_clusters();
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("cannot read {}: {error}", folder.display())),
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !is_lock(name))
        .collect();
    names.sort();
    Ok(names)
}

fn named_clusters() -> PathBuf {
    cache().join("clusters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_live_while_its_lock_is_held() {
        let folder = std::env::temp_dir().join(format!("xtask-place-{}", std::process::id()));
        let place = ClusterFolder::at(folder);
        place.create().expect("created");
        assert!(!place.is_live());
        let lock = place.lock().expect("locked");
        assert!(place.is_live());
        drop(lock);
        assert!(!place.is_live());
        place.remove().expect("removed");
        assert!(!place.folder().exists());
    }
}
