//! Programs in the cache that no checkout uses any more.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How long a build is kept after its last use. Checkouts of other revisions share the cache.
const KEPT: Duration = Duration::from_hours(14 * 24);
/// How the names of folders of programs start.
const STARTS: [&str; 3] = ["clients-", "debian", "kubernetes-"];

/// Notes that a build is used.
pub(super) fn touch(folder: &Path) {
    // Without it the build is at worst made again.
    let _ = File::open(folder).and_then(|folder| folder.set_modified(SystemTime::now()));
}

/// Removes the builds in the cache that were not used for two weeks and that no process runs. The
/// caller holds the cache's lock.
pub(super) fn sweep(cache: &Path) {
    for folder in unused(cache, KEPT) {
        if !is_running(&folder) {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Returns the builds that were not used for `age`.
fn unused(cache: &Path, age: Duration) -> Vec<PathBuf> {
    let entries = fs::read_dir(cache).into_iter().flatten().flatten();
    let old = |path: &Path| {
        let modified = path.metadata().and_then(|metadata| metadata.modified());
        modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|elapsed| elapsed >= age))
    };
    entries
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            STARTS.iter().any(|start| name.starts_with(start))
        })
        .map(|entry| entry.path())
        .filter(|path| old(path))
        .collect()
}

/// Returns whether a process runs a program of this folder.
fn is_running(folder: &Path) -> bool {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let programs = entries.filter_map(|entry| fs::read_link(entry.path().join("exe")).ok());
    programs
        .into_iter()
        .any(|program| program.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_builds_are_unused() {
        let cache = std::env::temp_dir().join(format!("xtask-unused-{}", std::process::id()));
        for name in [
            "kubernetes-1-old",
            "kubernetes-1-used",
            "debian",
            "clusters",
        ] {
            let folder = cache.join(name);
            fs::create_dir_all(&folder).expect("a folder");
            let old = SystemTime::now() - 2 * KEPT;
            let opened = File::open(&folder).expect("a folder");
            opened.set_modified(old).expect("set");
        }
        touch(&cache.join("kubernetes-1-used"));
        let mut found = unused(&cache, KEPT);
        found.sort();
        assert_eq!(
            found,
            [cache.join("debian"), cache.join("kubernetes-1-old")]
        );
        fs::remove_dir_all(&cache).expect("removed");
    }

    #[test]
    fn a_program_that_runs_is_in_use() {
        let program = std::env::current_exe().expect("a program");
        assert!(is_running(program.parent().expect("a folder")));
        assert!(!is_running(Path::new("/no such folder")));
    }
}
