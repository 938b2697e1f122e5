//! What runs are launched with on this machine.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use sidestep_capabilities::Masks;
use sidestep_catalog::BuiltIn;
use sidestep_evaluator::Evaluator;
use sidestep_events::Failure;
use sidestep_files::Patterns;
use sidestep_host::{CompileLimits, Compiling, Room};
use sidestep_state::{RunFolder, Runs};

use crate::error::{Error, no_home, run_id};
use crate::gc::Finding;

/// Where runs are launched: their folders, their limits, and whom to tell.
pub struct Site {
    /// The folder that all paths are relative to; absolute.
    pub workspace: PathBuf,
    /// The folder of runs; none where nothing says where it is.
    pub state: Option<PathBuf>,
    /// The folder of the compiled code of plugins.
    pub compiled: Option<PathBuf>,
    /// The folder of what a run makes on its way.
    pub scratch: Option<PathBuf>,
    /// Where policies lie.
    pub policies: PolicyFiles,
    /// The files outside of the workspace that a pipeline may name as secrets.
    pub secret_files: Patterns,
    /// What compiling one plugin may take.
    pub compile: CompileLimits,
    /// The variables that a run may see.
    pub environment: Environment,
    /// Takes the secrets of runs out of whatever is shown.
    pub masks: Arc<Masks>,
    /// The plugins that the program brings.
    pub built_in: &'static [BuiltIn],
    /// The memory that all plugins of this process share.
    pub room: Arc<Room>,
    /// Evaluates expressions, schemas and patterns within the budgets of one run.
    pub evaluator: Arc<dyn Evaluator>,
    /// Is told what goes on before a run has events.
    pub notes: Notes,
}

/// The policies that apply besides one that a caller names. Relative paths begin at the workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyFiles {
    /// The machine's, which need not be there.
    pub machine: Option<PathBuf>,
    /// The user's, which need not be there.
    pub user: Option<PathBuf>,
    /// One that the environment names.
    pub named: Option<PathBuf>,
}

/// Reads a variable of the environment.
type Read = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The variables of the environment, by who names them.
#[derive(Clone)]
pub struct Environment {
    own: Read,
    of_pipeline: Read,
}

/// What goes on before a run has events.
#[derive(Debug)]
pub enum Note<'a> {
    /// Compiling a plugin takes longer than a second.
    Compiling(Compiling<'a>),
    /// Something that an earlier run left was removed.
    Swept(&'a Finding),
}

/// Is told what goes on before a run has events.
#[derive(Clone)]
pub struct Notes(Arc<dyn Fn(Note<'_>) + Send + Sync>);

impl Site {
    /// Opens the folder of runs.
    pub fn runs(&self) -> Result<Runs, Failure> {
        let state = self.state.as_ref();
        let state = state.ok_or_else(|| no_home("runs", "SIDESTEP_STATE=dir:/PATH"))?;
        Ok(Runs::at(state))
    }

    /// Opens the folder of a run that somebody names.
    pub fn open_run(&self, run: &str) -> Result<RunFolder, Error> {
        Ok(self.runs()?.open(&run_id(run)?)?)
    }
}

impl Environment {
    /// Makes an environment of two readers: of the variables that the runner itself knows, and of
    /// those that a pipeline names.
    pub fn new(
        own: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        of_pipeline: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            own: Arc::new(own),
            of_pipeline: Arc::new(of_pipeline),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        (self.own)(name)
    }

    pub(crate) fn of_pipeline(&self, name: &str) -> Option<String> {
        (self.of_pipeline)(name)
    }
}

impl Notes {
    /// Makes notes of a function.
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
