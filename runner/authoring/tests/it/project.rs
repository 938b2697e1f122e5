//! A new project in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use sidestep_authoring::{AuthoringError, Built, Name, Options, Project, build, create};
use sidestep_evaluator::Evaluator;
use sidestep_evaluator_guest::Native;
use sidestep_test_harness::guests;
use tempfile::TempDir;

/// A project whose crates come from cargo's cache. All projects share a target folder, so that the
/// SDK is compiled once.
pub(crate) struct Workspace {
    _folder: TempDir,
    pub(crate) project: PathBuf,
}

impl Workspace {
    /// Creates a project; `None` if the compiler can't build plugins. Projects need different names,
    /// because cargo names results after them.
    pub(crate) fn new(name: &str) -> Option<Self> {
        if !guests::can_be_built() {
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let name = Name::parse(name).expect("a name");
        let created = create(folder.path(), &name).expect("it is created");
        let config = format!(
            "[build]\ntarget-dir = {:?}\n[net]\noffline = true\n",
            target().display().to_string()
        );
        fs::create_dir(created.folder.join(".cargo")).expect("made");
        fs::write(created.folder.join(".cargo/config.toml"), config).expect("written");
        Some(Self {
            _folder: folder,
            project: created.folder,
        })
    }

    /// Replaces a part of the step's source.
    pub(crate) fn replace(&self, from: &str, to: &str) {
        let path = self.project.join("src/lib.rs");
        let text = fs::read_to_string(&path).expect("the source");
        assert!(text.contains(from), "{from}");
        fs::write(&path, text.replace(from, to)).expect("written");
    }

    /// Runs cargo in the project, which must succeed.
    pub(crate) fn cargo(&self, arguments: &[&str]) {
        let status = Command::new(env!("CARGO"))
            .current_dir(&self.project)
            .args(arguments)
            .status();
        assert!(status.expect("cargo runs").success(), "{arguments:?}");
    }

    /// Builds the component.
    pub(crate) fn build(&self, debug: bool) -> Result<Built, AuthoringError> {
        let options = Options {
            debug,
            quiet: true,
            file: None,
        };
        let evaluator: Arc<dyn Evaluator> = Arc::new(Native);
        build(&Project::open(&self.project)?, &options, &evaluator)
    }
}

/// Returns the target folder of all projects.
pub(crate) fn target() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    target.join("authored")
}
