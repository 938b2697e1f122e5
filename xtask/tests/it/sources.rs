//! The sources of the project, for checks of coding style.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The sources that ship to users, and the modules that exist only for tests.
pub(crate) struct Sources {
    root: PathBuf,
    files: Vec<PathBuf>,
    tests: BTreeSet<PathBuf>,
}

/// Returns the project's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Sources {
    /// Lists the sources of runner, SDK and plugins.
    pub(crate) fn all() -> Self {
        let root = root();
        let mut sources = Self {
            root: root.clone(),
            files: Vec::new(),
            tests: BTreeSet::new(),
        };
        for folder in ["runner", "sdk", "plugins"] {
            sources.read(&root.join(folder));
        }
        assert!(sources.files.len() > 300, "{}", sources.files.len());
        sources
    }

    /// Returns the files that are not tests, each with its path from the project's folder.
    pub(crate) fn shipped(&self) -> impl Iterator<Item = (String, &Path)> {
        let is_test = |file: &&PathBuf| self.tests.iter().any(|test| file.starts_with(test));
        self.files
            .iter()
            .filter(move |file| !is_test(file))
            .map(|file| {
                let place = file.strip_prefix(&self.root).expect("within");
                (place.to_string_lossy().into_owned(), file.as_path())
            })
    }

    /// Lists the project's other files with one of these extensions, but those that tests read.
    pub(crate) fn others(extensions: &[&str]) -> Vec<PathBuf> {
        let mut folders = vec![root()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("readable") {
                let path = entry.expect("readable").path();
                let name = path.file_name().expect("a name").to_string_lossy();
                if path.is_dir() {
                    let ours =
                        matches!(&*name, ".github" | ".devcontainer") || !name.starts_with('.');
                    if ours && !matches!(&*name, "target" | "tests" | "corpus" | "artifacts") {
                        folders.push(path);
                    }
                } else if extensions
                    .iter()
                    .any(|e| path.extension().is_some_and(|x| x == *e))
                {
                    files.push(path);
                }
            }
        }
        files.sort();
        files
    }

    fn read(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            if path.is_dir() {
                if !matches!(&*name, "tests" | "target") {
                    self.read(&path);
                }
            } else if name.ends_with(".rs") && !matches!(&*name, "tests.rs" | "fuzz.rs") {
                self.note_tests(&path);
                self.files.push(path);
            }
        }
    }

    /// Records the test-only modules of a file.
    fn note_tests(&mut self, file: &Path) {
        let text = fs::read_to_string(file).expect("text");
        let stem = file.file_stem().expect("a name");
        let folder = file.parent().expect("a folder");
        let folder = match stem.to_str() {
            Some("lib" | "main") => folder.to_owned(),
            _ => folder.join(stem),
        };
        for rest in text.split("#[cfg(test)]\n").skip(1) {
            let line = rest.lines().next().unwrap_or_default().trim();
            let module = line.trim_start_matches("pub(crate) ").strip_prefix("mod ");
            if let Some(module) = module.and_then(|module| module.strip_suffix(';')) {
                // The file, or the folder of a module with submodules.
                self.tests.insert(folder.join(module).with_extension("rs"));
                self.tests.insert(folder.join(module));
            }
        }
    }
}

/// Returns the part of a file before its tests.
pub(crate) fn without_tests(text: &str) -> &str {
    let tests = ["#[cfg(test)]\nmod ", "#[cfg(test)]\npub(crate) mod "].map(|begin| {
        text.match_indices(begin)
            .find(|(at, _)| {
                let line = text[at + "#[cfg(test)]\n".len()..].lines().next();
                line.is_some_and(|line| line.ends_with('{'))
            })
            .map_or(text.len(), |(at, _)| at)
    });
    &text[..tests[0].min(tests[1])]
}
