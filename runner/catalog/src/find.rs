use std::borrow::Cow;
use std::path::{Path, PathBuf};

use sidestep_events::{BuiltInName, PluginRef, codes};

use crate::file::Files;
use crate::{ApiRange, Component, Pages, PluginError};

/// A plugin that is embedded in the runner's binary.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// The plugin's name, without the collection.
    pub name: &'static str,
    /// The component's bytes.
    pub component: &'static [u8],
    /// The component's digest, computed by the build that embeds it: `sha256:` and 64 hex digits.
    pub digest: &'static str,
    /// The component's compiled code, if the same build compiled it.
    pub precompiled: Option<&'static Pages<[u8]>>,
}

/// A plugin that was found and read.
#[derive(Debug, Clone)]
pub struct Package {
    /// The reference that named the plugin.
    pub uses: PluginRef,
    /// The component's metadata.
    pub component: Component,
    /// The component's bytes.
    pub bytes: Cow<'static, [u8]>,
    /// The component's compiled code, if the runner's own build compiled it.
    pub precompiled: Option<&'static Pages<[u8]>>,
}

/// Finds plugins.
#[derive(Debug)]
pub struct Catalog {
    built_in: Vec<BuiltIn>,
    workspace: PathBuf,
    files: Files,
    api: ApiRange,
}

impl Catalog {
    /// Creates a catalog of the built-in plugins and of the files in `workspace`.
    pub fn new(built_in: Vec<BuiltIn>, workspace: impl Into<PathBuf>) -> Self {
        Self {
            built_in,
            workspace: workspace.into(),
            files: Files::OfPipelines,
            api: ApiRange::supported(),
        }
    }

    /// Also allows pipes and files outside of the workspace, for plugins that the command line
    /// names: the user who started the runner can read them anyway.
    #[must_use]
    pub fn for_the_command_line(mut self) -> Self {
        self.files = Files::OfTheCommandLine;
        self
    }

    /// Returns the built-in plugins.
    pub fn built_in(&self) -> &[BuiltIn] {
        &self.built_in
    }

    /// Finds a plugin. Each kind of reference is looked up in one place only.
    pub fn find(&self, uses: &PluginRef) -> Result<Package, PluginError> {
        self.find_unnamed(uses)
            .map_err(|error| error.about(&format!("`{}`", uses.as_str())))
    }

    fn find_unnamed(&self, uses: &PluginRef) -> Result<Package, PluginError> {
        match uses {
            PluginRef::BuiltIn(name) => {
                let found = self.find_built_in(name)?;
                Ok(Package {
                    uses: uses.clone(),
                    component: Component::read_built_in(found.component, found.digest, &self.api)?,
                    bytes: Cow::Borrowed(found.component),
                    precompiled: found.precompiled,
                })
            }
            PluginRef::File(file) => {
                let bytes = self.read_file(file.path().as_ref())?;
                Ok(Package {
                    uses: uses.clone(),
                    component: Component::read(&bytes, Some(&self.api))?,
                    bytes: Cow::Owned(bytes),
                    precompiled: None,
                })
            }
            PluginRef::Oci(_) => Err(PluginError::new(
                codes::pipeline::UNSUPPORTED,
                "this version does not load plugins from registries",
            )
            .with_help(
                "put the component into the workspace and name its path: ./plugins/NAME.wasm",
            )),
        }
    }

    fn find_built_in(&self, asked: &BuiltInName) -> Result<&BuiltIn, PluginError> {
        let name = asked.name();
        if let Some(found) = self.built_in.iter().find(|known| known.name == name) {
            return Ok(found);
        }
        let error = PluginError::new(codes::plugin::NOT_FOUND, "there is no such built-in plugin");
        let names = self.built_in.iter().map(|known| known.name);
        let called =
            |name: &str| PluginRef::built_in(name).map(|plugin| plugin.as_str().to_owned());
        let near = sidestep_policy::nearest(name, names.clone()).and_then(called);
        Err(match near {
            Some(near) => error.with_help(format!("did you mean `{near}`?")),
            None => error.with_help(format!(
                "the built-in plugins are {}; name a plugin of your own by its path: ./plugins/NAME.wasm",
                names.collect::<Vec<_>>().join(", ")
            )),
        })
    }

    /// Reads a plugin's file.
    fn read_file(&self, path: &Path) -> Result<Vec<u8>, PluginError> {
        self.files.read(&self.workspace, path)
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
            digest: "sha256:of-the-build",
            precompiled: None,
        };
        Catalog::new(vec![built_in], workspace)
    }

    fn named(text: &str) -> PluginRef {
        PluginRef::parse(text).expect(text)
    }

    #[test]
    fn built_in_plugins_are_found_by_name_and_files_never_are() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("sidestep")).expect("made");
        for file in ["sidestep/wi-verify", "sidestep/wi-verfy", "wi-verify"] {
            std::fs::write(folder.path().join(file), plugin()).expect("written");
        }
        let catalog = catalog(folder.path());
        let package = catalog
            .find(&named("sidestep/wi-verify"))
            .expect("built in");
        assert!(matches!(package.bytes, Cow::Borrowed(_)));
        assert_eq!(package.component.manifest.name, "p");
        // The build's digest is used as it is; a file is hashed when it is read.
        assert_eq!(package.component.digest, "sha256:of-the-build");
        let file = catalog.find(&named("./sidestep/wi-verify")).expect("there");
        let hashed = Component::read(&plugin(), None).expect("a plugin").digest;
        assert_eq!(file.component.digest, hashed);
        assert!(matches!(file.bytes, Cow::Owned(_)));
        let misspelt = named("sidestep/wi-verfy");
        let error = catalog.find(&misspelt).expect_err("misspelt");
        assert_eq!(
            error.message,
            "`sidestep/wi-verfy`: there is no such built-in plugin"
        );
        assert_eq!(error.help, ["did you mean `sidestep/wi-verify`?"]);
    }

    #[test]
    fn files_of_pipelines_are_found_below_the_workspace_only() {
        let outside = tempfile::tempdir().expect("a folder");
        let folder = outside.path().join("workspace");
        std::fs::create_dir_all(folder.join("folder.wasm")).expect("made");
        std::fs::write(folder.join("p.wasm"), plugin()).expect("written");
        std::fs::write(outside.path().join("q.wasm"), plugin()).expect("written");
        std::os::unix::fs::symlink("../q.wasm", folder.join("link.wasm")).expect("made");
        let catalog = catalog(&folder);
        let package = catalog.find(&named("./p.wasm")).expect("there");
        assert_eq!(package.uses, named("./p.wasm"));
        let outside = outside.path().join("q.wasm").display().to_string();
        for uses in ["../q.wasm", "./../q.wasm", "./link.wasm", &outside] {
            let error = catalog.find(&named(uses)).expect_err(uses);
            assert_eq!(error.code, "plugin.outside");
        }
        for (uses, code) in [
            ("./none.wasm", "plugin.not-found"),
            ("./folder.wasm", "plugin.unreadable"),
            ("/dev/zero", "plugin.outside"),
        ] {
            let error = catalog.find(&named(uses)).expect_err(uses);
            assert_eq!(error.code, code);
        }
        let caller = self::catalog(&folder).for_the_command_line();
        caller.find(&named(&outside)).expect("the caller names it");
        for (uses, code) in [
            ("/dev/zero", "plugin.unreadable"),
            ("./none.wasm", "plugin.not-found"),
        ] {
            let error = caller.find(&named(uses)).expect_err(uses);
            assert_eq!(error.code, code);
        }
    }

    #[test]
    fn a_registry_s_plugin_is_refused_by_its_own_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!("oci://ghcr.io/acme/x@sha256:{}", "0".repeat(64));
        let error = catalog(folder.path())
            .find(&named(&text))
            .expect_err("not there yet");
        assert_eq!(error.code, "unsupported");
        assert!(error.message.contains(&text), "{}", error.message);
    }
}
