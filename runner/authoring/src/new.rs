//! Creates a plugin's project.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::carried::{discard, unpack, write};
use crate::{AuthoringError, Name};

/// The files of a project, with their paths. `PLUGIN_NAME`, `SDK_VERSION` and `RUST_VERSION` stand
/// in for values.
const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../template/Cargo.toml")),
    ("src/lib.rs", include_str!("../template/lib.rs")),
    ("sidestep.yaml", include_str!("../template/sidestep.yaml")),
    ("README.md", include_str!("../template/README.md")),
    (
        ".github/workflows/step.yaml",
        include_str!("../template/step.yaml"),
    ),
    (".gitignore", include_str!("../template/gitignore")),
];

/// The versions that the project is tested with. `cargo xtask generate` makes it from the
/// workspace's lock file.
const LOCK: &str = include_str!("../template/Cargo.lock");

/// The separator of the packages in a lock file.
const PACKAGE: &str = "\n\n[[package]]\n";

/// A project that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The project's folder.
    pub folder: PathBuf,
    /// The paths of the files in it, without those of the SDK.
    pub files: Vec<&'static str>,
}

/// Creates the project of a Rust plugin in a new folder of the workspace, with a copy of the SDK.
///
/// # Errors
///
/// If the folder exists and is not empty, or a file can't be written.
pub fn create(workspace: &Path, name: &Name) -> Result<Created, AuthoringError> {
    let folder = workspace.join(name.as_str());
    let is_free = match fs::read_dir(&folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => folder.symlink_metadata().is_err(),
    };
    if !is_free {
        return Err(AuthoringError::usage(
            format!("`{name}` exists already"),
            "choose another name, or remove the folder",
        ));
    }
    // Beside it, so that an interrupted command leaves no half of a project under its name.
    let new = workspace.join(format!(".{name}.new"));
    let files = fill(&new, name)
        .and_then(|files| fs::rename(&new, &folder).map(|()| files))
        .map_err(|error| {
            // The first error counts, and the next attempt removes the folder too.
            let _ = discard(&new);
            AuthoringError::unwritable(&folder, &error)
        })?;
    Ok(Created { folder, files })
}

/// Writes a project's files into a new folder, and returns their paths, without those of the SDK.
fn fill(folder: &Path, name: &Name) -> io::Result<Vec<&'static str>> {
    discard(folder)?;
    let mut files = Vec::new();
    for (file, text) in FILES {
        write(&folder.join(file), &filled(text, name))?;
        files.push(*file);
    }
    write(&folder.join("Cargo.lock"), &lock(name))?;
    files.push("Cargo.lock");
    unpack(folder)?;
    Ok(files)
}

fn filled(text: &str, name: &Name) -> String {
    text.replace("PLUGIN_NAME", name.as_str())
        .replace("SDK_VERSION", env!("CARGO_PKG_VERSION"))
        .replace("RUST_VERSION", env!("CARGO_PKG_RUST_VERSION"))
}

/// Returns the lock file of a plugin with this name. Cargo sorts the packages by their names, and
/// `--locked` refuses another order.
fn lock(name: &Name) -> String {
    let text = filled(LOCK.trim_end(), name);
    let mut packages = text.split(PACKAGE);
    let head = packages.next().unwrap_or_default();
    let mut packages: Vec<&str> = packages.collect();
    packages.sort_by_key(|package| package.lines().next().unwrap_or_default());
    let mut lock = head.to_owned();
    for package in packages {
        lock.push_str(PACKAGE);
        lock.push_str(package);
    }
    lock.push('\n');
    lock
}

/// Returns whether the lock file has a package with this name.
pub(crate) fn is_locked(name: &str) -> bool {
    let line = format!("name = \"{name}\"");
    LOCK.lines().any(|known| known == line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SDK_FOLDER, carried};

    #[test]
    fn a_project_has_every_file_with_its_values() {
        let workspace = tempfile::tempdir().expect("a folder");
        let name = Name::parse("count-words").expect("a name");
        let created = create(workspace.path(), &name).expect("it is created");
        assert_eq!(created.folder, workspace.path().join("count-words"));
        for file in created.files {
            let text = fs::read_to_string(created.folder.join(file)).expect(file);
            for open in ["PLUGIN_NAME", "SDK_VERSION", "RUST_VERSION"] {
                assert!(!text.contains(open), "{file} has {open}");
            }
        }
        for (file, text) in carried() {
            let path = created.folder.join(SDK_FOLDER).join(file);
            assert_eq!(fs::read_to_string(path).expect(file), *text);
        }
    }

    #[test]
    fn an_existing_project_is_kept() {
        let workspace = tempfile::tempdir().expect("a folder");
        let name = Name::parse("mine").expect("a name");
        fs::create_dir(workspace.path().join("mine")).expect("made");
        create(workspace.path(), &name).expect("an empty folder is used");
        fs::write(workspace.path().join("mine/src/lib.rs"), "mine").expect("written");
        create(workspace.path(), &name).expect_err("it exists");
        let text = fs::read_to_string(workspace.path().join("mine/src/lib.rs"));
        assert_eq!(text.expect("text"), "mine");
        fs::write(workspace.path().join("file"), "").expect("written");
        create(workspace.path(), &Name::parse("file").expect("a name")).expect_err("a file");
    }

    #[test]
    fn an_interrupted_project_is_created_again() {
        let workspace = tempfile::tempdir().expect("a folder");
        let name = Name::parse("mine").expect("a name");
        write(&workspace.path().join(".mine.new/src/half.rs"), "half").expect("written");
        let created = create(workspace.path(), &name).expect("it is created");
        assert!(created.folder.join("Cargo.lock").exists());
        assert!(!created.folder.join("src/half.rs").exists());
        let entries = fs::read_dir(workspace.path()).expect("a folder");
        assert_eq!(entries.count(), 1, "only the project");
    }

    #[test]
    fn a_lock_file_is_sorted_by_the_plugin_s_own_name() {
        for name in ["aa", "mm", "zz"] {
            let lock = lock(&Name::parse(name).expect("a name"));
            let names: Vec<&str> = lock
                .lines()
                .filter(|line| line.starts_with("name = "))
                .collect();
            assert!(names.is_sorted(), "{names:?}");
            assert!(names.contains(&format!("name = \"{name}\"").as_str()));
        }
    }
}
