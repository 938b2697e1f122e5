//! Waits for changes of a project's files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::build::unfinished;

/// The time between two readings of the files.
const PAUSE: Duration = Duration::from_millis(300);

/// The states of a project's files at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources(BTreeMap<PathBuf, (Option<SystemTime>, u64)>);

impl Sources {
    /// Reads the states of the files below a folder. Leaves out the files that a build writes
    /// (modules, and the component wherever it is), and hidden folders.
    pub fn of(folder: &Path, component: Option<&Path>) -> Self {
        let results = component.map(results).unwrap_or_default();
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
                } else if !name.ends_with(".wasm")
                    && !name.ends_with(".wasm.new")
                    && !results.contains(&path)
                {
                    files.insert(path, (facts.modified().ok(), facts.len()));
                }
            }
        }
        Self(files)
    }

    /// Waits until the files of the folder differ from these.
    pub fn wait_for_change(&self, folder: &Path, component: Option<&Path>) {
        while Self::of(folder, component) == *self {
            thread::sleep(PAUSE);
        }
    }
}

/// Returns the paths that a build of this component writes, as the paths of sources are written.
fn results(component: &Path) -> Vec<PathBuf> {
    let mut paths = vec![component.to_owned(), unfinished(component)];
    for path in &mut paths {
        let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
        if let (Some(folder), Some(name)) = (folder, path.file_name()) {
            *path = folder.join(name);
        }
    }
    paths
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
        let before = Sources::of(folder.path(), None);
        for result in ["p.wasm", "target/release/p.d", ".git/index"] {
            write(result, "result");
        }
        assert_eq!(Sources::of(folder.path(), None), before);
        write("src/lib.rs", "three");
        assert_ne!(Sources::of(folder.path(), None), before);
        before.wait_for_change(folder.path(), None);
        write("src/lib.rs", "one");
        write("src/new/file.rs", "");
        assert_ne!(Sources::of(folder.path(), None), before);
    }

    #[test]
    fn the_component_is_no_source_wherever_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let project = folder.path().canonicalize().expect("a path");
        fs::create_dir(project.join("out")).expect("made");
        for file in ["step", "out/step.bin", "out/../step"] {
            let component = project.join(file);
            let before = Sources::of(&project, Some(&component));
            for path in [&component, &unfinished(&component)] {
                fs::write(path, "component").expect("written");
            }
            assert_eq!(Sources::of(&project, Some(&component)), before, "{file}");
            assert_ne!(Sources::of(&project, None), before, "{file}");
            for path in [&component, &unfinished(&component)] {
                fs::remove_file(path).expect("removed");
            }
        }
    }
}
