use std::borrow::Cow;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::component::MAX_COMPONENT;
use crate::{ApiRange, Component, PluginError};

/// The collection that built-in plugins are in: `sidestep/wi-verify`.
pub const COLLECTION: &str = "sidestep";

/// A plugin that the runner's binary carries.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Its name, without the collection.
    pub name: &'static str,
    /// The component.
    pub component: &'static [u8],
    /// The component compiled for this machine by the same build; empty if it isn't.
    pub precompiled: &'static [u8],
}

/// Where a plugin was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In the runner's binary.
    BuiltIn,
    /// In a file.
    File(PathBuf),
}

/// A plugin that was found and read.
#[derive(Debug, Clone)]
pub struct Package {
    /// The reference that named it.
    pub uses: String,
    /// Where it was found.
    pub source: Source,
    /// What it says about itself.
    pub component: Component,
    /// Its bytes.
    pub bytes: Cow<'static, [u8]>,
    /// Its bytes compiled by the runner's own build; empty if they aren't.
    pub precompiled: &'static [u8],
}

impl Package {
    /// Whether the runner carries it, so that its requests are granted by themselves.
    pub fn is_built_in(&self) -> bool {
        self.source == Source::BuiltIn
    }
}

/// Finds plugins.
#[derive(Debug)]
pub struct Catalog {
    built_in: Vec<BuiltIn>,
    workspace: PathBuf,
    api: ApiRange,
}

impl Catalog {
    /// A catalog of what the binary carries and of the files below `workspace`.
    pub fn new(built_in: Vec<BuiltIn>, workspace: impl Into<PathBuf>) -> Self {
        Self {
            built_in,
            workspace: workspace.into(),
            api: ApiRange::supported(),
        }
    }

    /// The built-in plugins.
    pub fn built_in(&self) -> &[BuiltIn] {
        &self.built_in
    }

    /// Finds what a step's `uses` names: `sidestep/NAME` (or a bare `NAME`), or the path of a file
    /// relative to the workspace, which begins with `./` or ends with `.wasm`.
    pub fn find(&self, uses: &str) -> Result<Package, PluginError> {
        self.find_unnamed(uses)
            .map_err(|error| error.about(&format!("`{uses}`")))
    }

    fn find_unnamed(&self, uses: &str) -> Result<Package, PluginError> {
        if uses.contains("://") {
            return Err(PluginError::new(
                "plugin.not-found",
                "plugins are found in the runner and in files of the workspace, not at addresses",
            )
            .with_help(
                "put the component into the workspace and name its path: `./plugins/NAME.wasm`",
            ));
        }
        let is_path = uses.starts_with("./") || uses.starts_with('/') || uses.ends_with(".wasm");
        let uses = uses.to_owned();
        if is_path {
            let (path, bytes) = self.read_file(&uses)?;
            return Ok(Package {
                uses,
                component: Component::read(&bytes, Some(&self.api))?,
                source: Source::File(path),
                bytes: Cow::Owned(bytes),
                precompiled: &[],
            });
        }
        let found = self.find_built_in(&uses)?;
        Ok(Package {
            uses,
            component: Component::read(found.component, Some(&self.api))?,
            source: Source::BuiltIn,
            bytes: Cow::Borrowed(found.component),
            precompiled: found.precompiled,
        })
    }

    fn find_built_in(&self, uses: &str) -> Result<&BuiltIn, PluginError> {
        let name = uses
            .strip_prefix(COLLECTION)
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(uses);
        if let Some(found) = self.built_in.iter().find(|known| known.name == name) {
            return Ok(found);
        }
        let error = PluginError::new("plugin.not-found", "there is no such plugin");
        let names = self.built_in.iter().map(|known| known.name);
        Err(match sidestep_policy::nearest(name, names.clone()) {
            Some(near) => error.with_help(format!("did you mean `{COLLECTION}/{near}`?")),
            None => error.with_help(format!(
                "built in are {}; a plugin of your own is named by its path: `./plugins/NAME.wasm`",
                names.collect::<Vec<_>>().join(", ")
            )),
        })
    }

    /// Reads a plugin's file. One that lies outside of the workspace, by `..` or by a symbolic
    /// link, is refused: the pipeline's author may not know what lies there.
    fn read_file(&self, uses: &str) -> Result<(PathBuf, Vec<u8>), PluginError> {
        let not_found = |path: &Path, error: std::io::Error| {
            PluginError::new(
                "plugin.not-found",
                format!("can't read {}: {error}", path.display()),
            )
            .with_help(
                "paths are relative to the workspace; build the plugin first if it is built there",
            )
        };
        let root = self
            .workspace
            .canonicalize()
            .map_err(|error| not_found(&self.workspace, error))?;
        let asked = root.join(uses);
        let path = asked
            .canonicalize()
            .map_err(|error| not_found(&asked, error))?;
        if !path.starts_with(&root) {
            return Err(PluginError::new(
                "plugin.outside",
                format!("{} is outside of the workspace", path.display()),
            )
            .with_help("copy the plugin into the workspace"));
        }
        let mut bytes = Vec::new();
        std::fs::File::open(&path)
            .and_then(|file| file.take(MAX_COMPONENT as u64 + 1).read_to_end(&mut bytes))
            .map_err(|error| not_found(&path, error))?;
        Ok((path, bytes))
    }
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{Component as Encoded, CustomSection};

    use super::*;
    use crate::SECTION;

    fn plugin() -> Vec<u8> {
        let mut component = Encoded::new();
        component.section(&CustomSection {
            name: SECTION.into(),
            data: br#"{"manifestVersion":1,"name":"p","version":"1.0.0","apiVersion":"0.1.0","inputs":{},"outputs":{}}"#[..].into(),
        });
        component.finish()
    }

    fn catalog(workspace: &Path) -> Catalog {
        let built_in = BuiltIn {
            name: "wi-verify",
            component: plugin().leak(),
            precompiled: &[],
        };
        Catalog::new(vec![built_in], workspace)
    }

    #[test]
    fn built_in_plugins_are_found_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let catalog = catalog(folder.path());
        for uses in ["sidestep/wi-verify", "wi-verify"] {
            let package = catalog.find(uses).expect("built in");
            assert!(package.is_built_in());
            assert_eq!(package.component.manifest.name, "p");
        }
        let error = catalog.find("sidestep/wi-verfy").expect_err("misspelt");
        assert_eq!(
            error.message,
            "`sidestep/wi-verfy`: there is no such plugin"
        );
        assert_eq!(error.help, ["did you mean `sidestep/wi-verify`?"]);
    }

    #[test]
    fn files_are_found_below_the_workspace_only() {
        let outside = tempfile::tempdir().expect("a folder");
        let folder = outside.path().join("workspace");
        std::fs::create_dir(&folder).expect("made");
        std::fs::write(folder.join("p.wasm"), plugin()).expect("written");
        std::fs::write(outside.path().join("q.wasm"), plugin()).expect("written");
        std::os::unix::fs::symlink("../q.wasm", folder.join("link.wasm")).expect("made");
        let catalog = catalog(&folder);
        let package = catalog.find("./p.wasm").expect("there");
        assert!(!package.is_built_in());
        assert_eq!(
            catalog.find("p.wasm").expect("there").component,
            package.component
        );
        let outside = outside.path().join("q.wasm").display().to_string();
        for uses in ["./../q.wasm", "./link.wasm", &outside] {
            assert_eq!(catalog.find(uses).expect_err(uses).code, "plugin.outside");
        }
        assert_eq!(
            catalog.find("./none.wasm").expect_err("none").code,
            "plugin.not-found"
        );
        assert_eq!(
            catalog.find("oci://x/y").expect_err("none").code,
            "plugin.not-found"
        );
    }
}
