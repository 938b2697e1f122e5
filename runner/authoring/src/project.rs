//! Reads the project of a plugin.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::compiler::Needed;
use crate::toolchain::{Toolchain, no_rust};
use crate::{AuthoringError, SDK_FOLDER, unpack};

/// The crate of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The folder of its `Cargo.toml`.
    pub folder: PathBuf,
    /// The crate's name.
    pub name: String,
    /// Whether the SDK was missing from the project, and was unpacked.
    pub sdk_unpacked: bool,
    /// The toolchain that compiles it.
    pub(crate) toolchain: Toolchain,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    crate_types: Vec<String>,
}

impl Project {
    /// Opens the project in a folder. Unpacks the SDK if the project takes it from a folder that
    /// does not exist.
    ///
    /// # Errors
    ///
    /// If the folder has no crate of a plugin, no toolchain can compile it, or cargo can't read it.
    pub fn open(folder: &Path) -> Result<Self, AuthoringError> {
        let folder = folder.canonicalize().map_err(|error| {
            AuthoringError::usage(
                format!("the folder {} can't be opened: {error}", folder.display()),
                "name the folder of a plugin's project",
            )
        })?;
        let manifest = folder.join("Cargo.toml");
        let Ok(text) = std::fs::read_to_string(&manifest) else {
            return Err(AuthoringError::usage(
                format!("{} has no `Cargo.toml`", folder.display()),
                "change to the folder of a plugin's project, or create one with `sidestep plugin new NAME`",
            ));
        };
        // Before cargo reads the manifest: an old one rejects it, although it is right.
        let toolchain = Toolchain::find(&folder, &Needed::of(&folder, &text))?;
        let sdk_unpacked = text.contains(SDK_FOLDER) && !folder.join(SDK_FOLDER).exists();
        if sdk_unpacked {
            let sdk = folder.join(SDK_FOLDER);
            unpack(&folder).map_err(|error| AuthoringError::unwritable(&sdk, &error))?;
        }
        Ok(Self {
            name: name(&toolchain, &folder, &manifest)?,
            folder,
            sdk_unpacked,
            toolchain,
        })
    }
}

/// Asks cargo for the name of the crate in a folder.
fn name(toolchain: &Toolchain, folder: &Path, manifest: &Path) -> Result<String, AuthoringError> {
    let output = toolchain
        .cargo(folder)
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .output();
    let output = output.map_err(|error| match error.kind() {
        ErrorKind::NotFound => no_rust(),
        _ => AuthoringError::usage(
            format!("cargo does not start: {error}"),
            "check the Rust toolchain on the path",
        ),
    })?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(AuthoringError::usage(
            format!("cargo can't read {}: {}", manifest.display(), text.trim()),
            "correct the file",
        ));
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout).map_err(|error| {
        AuthoringError::usage(
            format!("the output of `cargo metadata` can't be read: {error}"),
            "check that the cargo on the path is the one of a Rust toolchain",
        )
    })?;
    choose(metadata, manifest)
}

fn choose(metadata: Metadata, manifest: &Path) -> Result<String, AuthoringError> {
    let mut packages = metadata.packages.into_iter();
    let Some(package) = packages.find(|package| package.manifest_path == manifest) else {
        return Err(AuthoringError::usage(
            format!("{} has no crate of its own", manifest.display()),
            "name the folder of a plugin's crate, not that of a workspace",
        ));
    };
    let is_module = |target: &Target| target.crate_types.iter().any(|kind| kind == "cdylib");
    if package.targets.iter().any(is_module) {
        return Ok(package.name);
    }
    Err(AuthoringError::usage(
        format!("the crate `{}` does not build a module", package.name),
        format!(
            "add these lines to {}:\n[lib]\ncrate-type = [\"cdylib\"]",
            manifest.display()
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(types: &str, manifest: &str) -> Result<String, AuthoringError> {
        let text = format!(
            r#"{{ "packages": [{{ "name": "mine", "manifest_path": "/p/Cargo.toml", "targets": [{{ "crate_types": {types} }}] }}] }}"#
        );
        let metadata = serde_json::from_str(&text).expect("metadata");
        choose(metadata, Path::new(manifest))
    }

    fn message(error: AuthoringError) -> String {
        let AuthoringError::Wrong(found) = error else {
            panic!("not a mistake of the caller: {error:?}");
        };
        found[0].message.exact().to_owned()
    }

    #[test]
    fn only_the_crate_of_the_folder_counts() {
        let types = r#"["rlib", "cdylib"]"#;
        assert_eq!(chosen(types, "/p/Cargo.toml").expect("a plugin"), "mine");
        let error = chosen(types, "/Cargo.toml").expect_err("a workspace");
        assert_eq!(message(error), "/Cargo.toml has no crate of its own");
        let error = chosen(r#"["lib"]"#, "/p/Cargo.toml").expect_err("a library");
        assert_eq!(message(error), "the crate `mine` does not build a module");
    }

    #[test]
    fn a_folder_without_a_crate_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = message(Project::open(folder.path()).expect_err("empty"));
        assert!(error.ends_with("has no `Cargo.toml`"), "{error}");
        let error = message(Project::open(&folder.path().join("no")).expect_err("none"));
        assert!(error.contains("can't be opened"), "{error}");
    }
}
