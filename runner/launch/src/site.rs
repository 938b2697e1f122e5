//! The environment in which runs are launched on this machine.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use sidestep_capabilities::Masks;
use sidestep_catalog::BuiltIn;
use sidestep_evaluator::Evaluator;
use sidestep_events::Failure;
use sidestep_files::Patterns;
use sidestep_host::{CompileLimits, Compiling, Room};
use sidestep_state::{RunFolder, Runs};

use crate::error::{Error, no_home, run_id};
use crate::finding::Finding;

/// The environment in which runs are launched: folders, limits, and callbacks.
pub struct Site {
    /// The folder that all paths are relative to; absolute.
    pub workspace: PathBuf,
    /// The folder of runs, if it is known.
    pub state: Option<PathBuf>,
    /// The file of the runner's own log, if it is written to one.
    pub log: Option<PathBuf>,
    /// The cache folder for compiled plugins.
    pub compiled: Option<PathBuf>,
    /// The folder for a run's temporary files.
    pub scratch: Option<PathBuf>,
    /// The paths of policies.
    pub policies: PolicyFiles,
    /// The files outside of the workspace that a pipeline may name as secrets.
    pub secret_files: Patterns,
    /// The image of the runner itself, for the pods of steps.
    pub helper_image: Option<String>,
    /// The limits on compiling one plugin.
    pub compile: CompileLimits,
    /// The variables that a run may see.
    pub environment: Environment,
    /// Masks the secrets of runs in all output.
    pub masks: Arc<Masks>,
    /// The plugins that are built into the program.
    pub built_in: &'static [BuiltIn],
    /// The memory that all plugins of this process share.
    pub room: Arc<Room>,
    /// Evaluates expressions, schemas and patterns within the budgets of one run.
    pub evaluator: Arc<dyn Evaluator>,
    /// Receives notes about what happens before a run has events.
    pub notes: Notes,
}

/// The policies that apply besides one that a caller names. Relative paths are relative to the
/// workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyFiles {
    /// The machine's policy, which need not exist.
    pub machine: Option<PathBuf>,
    /// The user's policy, which need not exist.
    pub user: Option<PathBuf>,
    /// The policy that the environment names.
    pub named: Option<PathBuf>,
}

/// A function that reads an environment variable.
type Read = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The environment variables: those of the runner, and those that a pipeline names.
#[derive(Clone)]
pub struct Environment {
    own: Read,
    of_pipeline: Read,
    /// The variables of a file, which win.
    of_file: Arc<OnceLock<BTreeMap<String, String>>>,
}

/// A note about something that happens before a run has events.
#[derive(Debug)]
pub enum Note<'a> {
    /// Compiling a plugin takes longer than a second.
    Compiling(Compiling<'a>),
    /// An object that an earlier run left behind was removed.
    Swept(&'a Finding),
}

/// Receives notes about what happens before a run has events.
#[derive(Clone)]
pub struct Notes(Arc<dyn Fn(Note<'_>) + Send + Sync>);

impl Site {
    /// Opens the folder of runs.
    pub fn runs(&self) -> Result<Runs, Failure> {
        let state = self.state.as_ref();
        let state = state.ok_or_else(|| no_home("runs", "SIDESTEP_STATE=dir:/PATH"))?;
        Ok(Runs::at(state))
    }

    /// Opens the folder of the run with this id.
    pub fn open_run(&self, run: &str) -> Result<RunFolder, Error> {
        Ok(self.runs()?.open(&run_id(run)?)?)
    }
}

impl Environment {
    /// Creates an environment from two readers: one for the runner's own variables, one for those
    /// that a pipeline names.
    pub fn new(
        own: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        of_pipeline: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            own: Arc::new(own),
            of_pipeline: Arc::new(of_pipeline),
            of_file: Arc::default(),
        }
    }

    /// Sets variables that a pipeline may name. They win over those of the process. Like those, a
    /// run sees only the ones that its file lists. Later calls have no effect.
    pub fn set_of_file(&self, variables: BTreeMap<String, String>) {
        let _ = self.of_file.set(variables);
    }

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        (self.own)(name)
    }

    pub(crate) fn of_pipeline(&self, name: &str) -> Option<String> {
        let of_file = self.of_file.get().and_then(|all| all.get(name));
        of_file.cloned().or_else(|| (self.of_pipeline)(name))
    }
}

impl Notes {
    /// Creates notes from a function.
    pub fn new(tell: impl Fn(Note<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(crate) fn tell(&self, note: Note<'_>) {
        (self.0)(note);
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notes")
    }
}
