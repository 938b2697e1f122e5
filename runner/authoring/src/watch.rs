//! Waits for changes of a project's files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

/// The time between two readings of the files.
const PAUSE: Duration = Duration::from_millis(300);

/// The states of a project's files at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources(BTreeMap<PathBuf, (Option<SystemTime>, u64)>);

impl Sources {
    /// Reads the states of the files below a folder. Leaves out the files that a build writes, and
    /// hidden folders.
    pub fn of(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            // A folder that was removed meanwhile has no files.
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let (path, name) = (entry.path(), entry.file_name());
                let Ok(facts) = entry.metadata() else {
                    continue;
                };
                let name = name.to_string_lossy();
                if facts.is_dir() {
                    if name != "target" && !name.starts_with('.') {
                        folders.push(path);
                    }
                } else if !name.ends_with(".wasm") && !name.ends_with(".wasm.new") {
                    files.insert(path, (facts.modified().ok(), facts.len()));
                }
            }
        }
        Self(files)
    }

    /// Waits until the files of the folder differ from these.
    pub fn wait_for_change(&self, folder: &Path) {
        while Self::of(folder) == *self {
            thread::sleep(PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_change_and_results_do_not_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        write("src/lib.rs", "one");
        let before = Sources::of(folder.path());
        for result in ["p.wasm", "target/release/p.d", ".git/index"] {
            write(result, "result");
        }
        assert_eq!(Sources::of(folder.path()), before);
        write("src/lib.rs", "three");
        assert_ne!(Sources::of(folder.path()), before);
        before.wait_for_change(folder.path());
        write("src/lib.rs", "one");
        write("src/new/file.rs", "");
        assert_ne!(Sources::of(folder.path()), before);
    }
}
