//! The cgroup that holds a cluster's pods. Namespaces do not remove it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;

use crate::Result;

const ROOT: &str = "/sys/fs/cgroup";
const PREFIX: &str = "sidestep-cluster-";

/// Creates a cgroup named after this process in every hierarchy, and returns its name.
pub(super) fn create() -> Result<String> {
    let name = format!("{PREFIX}{}", process::id());
    for hierarchy in hierarchies(Path::new(ROOT)) {
        let folder = hierarchy.join(&name);
        fs::create_dir_all(&folder)
            .map_err(|error| format!("cannot create the cgroup {}: {error}", folder.display()))?;
    }
    Ok(name)
}

/// Returns whether a cgroup of that name is left in a hierarchy.
pub(super) fn exists(name: &str) -> bool {
    let hierarchies = hierarchies(Path::new(ROOT));
    hierarchies
        .iter()
        .any(|hierarchy| hierarchy.join(name).exists())
}

/// Removes a cgroup and those below it, as far as no process is in them.
pub(super) fn remove(name: &str) {
    for hierarchy in hierarchies(Path::new(ROOT)) {
        remove_tree(&hierarchy.join(name));
    }
}

/// Removes the cgroups of clusters whose keeper is gone.
pub(super) fn sweep() {
    for hierarchy in hierarchies(Path::new(ROOT)) {
        for folder in folders(&hierarchy) {
            let name = folder.file_name().and_then(|name| name.to_str());
            let keeper = name.and_then(|name| name.strip_prefix(PREFIX));
            if keeper.is_some_and(|keeper| !Path::new("/proc").join(keeper).exists()) {
                remove_tree(&folder);
            }
        }
    }
}

/// Returns the roots of the hierarchies: one for cgroup v2, one for each controller for v1.
fn hierarchies(root: &Path) -> Vec<PathBuf> {
    if root.join("cgroup.controllers").exists() {
        return vec![root.to_owned()];
    }
    let mut hierarchies = folders(root);
    hierarchies.retain(|folder| folder.join("cgroup.procs").exists());
    hierarchies
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .collect()
}

/// A cgroup's files cannot be removed, only the folders, from the inside out.
fn remove_tree(folder: &Path) {
    for below in folders(folder) {
        remove_tree(&below);
    }
    let _ = fs::remove_dir(folder); // one that still has processes stays
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_cgroups_are_known() {
        let root = std::env::temp_dir().join(format!("xtask-cgroups-{}", process::id()));
        for name in ["cpu", "memory"] {
            fs::create_dir_all(root.join(name)).expect("a folder");
            fs::write(root.join(name).join("cgroup.procs"), "").expect("a file");
        }
        fs::create_dir_all(root.join("no-hierarchy")).expect("a folder");
        let mut found = hierarchies(&root);
        found.sort();
        assert_eq!(found, [root.join("cpu"), root.join("memory")]);

        fs::write(root.join("cgroup.controllers"), "").expect("a file");
        assert_eq!(hierarchies(&root), std::slice::from_ref(&root));
        fs::remove_dir_all(&root).expect("removed");
    }
}
