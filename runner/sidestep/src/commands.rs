//! One module a command, and the way to them.

mod completions;
mod context;
mod exec;
mod gc;
mod limits;
mod logs;
mod plan;
mod plugin;
mod resume;
mod run;
mod runs;
mod sandbox;
mod schema;
mod settings;
mod validate;

use std::path::PathBuf;
use std::sync::Arc;

use sidestep_evaluator::Evaluator;
use sidestep_events::{Class, Command as Shown, Exit, Failure, Owner};
use sidestep_host::{EvaluationLimits, Limits, ModuleEvaluator, Room};
use sidestep_report::{Problems, render_failure};
use sidestep_state::{RunFolder, RunId, Runs};

use crate::built_in::EVALUATOR;
use crate::cli::{Cli, Command, Global};
use crate::environment;
use crate::error::{CommandError, NO_HOME};
use crate::machine;
use crate::output::{Look, note, note_prose};
use crate::settings::{Places, Settings};
use crate::signals::Inherited;

/// What every command has at hand.
pub(crate) struct Session {
    pub(crate) global: Global,
    pub(crate) settings: Settings,
    pub(crate) places: Places,
    /// The folder that all paths are relative to; absolute.
    pub(crate) workspace: PathBuf,
    /// The signals that the process was started to ignore.
    pub(crate) inherited: Inherited,
    /// The memory that all plugins of this process share.
    pub(crate) room: Arc<Room>,
    /// Evaluates expressions, schemas and patterns within the budgets of one run.
    pub(crate) evaluator: Arc<dyn Evaluator>,
}

/// Runs the command, shows why it could not be done, and answers the exit code.
pub(crate) fn dispatch(cli: Cli, inherited: Inherited) -> Exit {
    let color = cli.global.color.unwrap_or_default();
    perform(cli, inherited).unwrap_or_else(|error| {
        let color = Look::stderr(color).color;
        match &error {
            CommandError::Problems(problems) => note(problems.render(color).trim_end()),
            CommandError::Failed(failure) => {
                note_prose(&render_failure(failure, color).join("\n"));
            }
        }
        error.exit()
    })
}

fn perform(cli: Cli, inherited: Inherited) -> Result<Exit, CommandError> {
    // These need no settings, and must work where they are broken.
    if let Command::Completions(args) = cli.command {
        return Ok(completions::run(&args));
    }
    if let Command::Limits(args) = cli.command {
        return Ok(limits::run(&args));
    }
    let session = Session::new(cli.global, inherited)?;
    match cli.command {
        Command::Run(args) => wait(run::run(&session, &args)),
        Command::Validate(args) => wait(validate::run(&session, &args)),
        Command::Plan(args) => wait(plan::run(&session, &args)),
        Command::Exec(args) => wait(exec::run(&session, &args)),
        Command::Resume(args) => wait(resume::run(&session, &args)),
        Command::Gc(args) => wait(gc::run(&session, &args)),
        Command::Plugin(command) => plugin::run(&session, command),
        Command::Runs(args) => runs::run(&session, args),
        Command::Logs(args) => logs::run(&session, &args),
        Command::Sandbox(args) => wait(sandbox::run(&session, args)),
        Command::Context(command) => context::run(&session, command),
        Command::Schema(args) => schema::run(&session, &args),
        Command::Settings(args) => Ok(settings::run(&session, &args)),
        Command::Limits(args) => Ok(limits::run(&args)),
        Command::Completions(args) => Ok(completions::run(&args)),
    }
}

/// Bytes of stack for a thread, as a main thread has.
const STACK: usize = 8 << 20;

/// Waits for a command that does many things at once.
fn wait(command: impl Future<Output = Result<Exit, CommandError>>) -> Result<Exit, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // The clouds' clients nest deep. Only what is touched takes memory.
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .map_err(|error| Failure::bug(format!("no threads could be started: {error}")))?;
    let exit = runtime.block_on(command);
    // What still runs on a thread of its own must not hold up the end.
    runtime.shutdown_background();
    exit
}

impl Session {
    fn new(global: Global, inherited: Inherited) -> Result<Self, CommandError> {
        let asked = global.workspace.clone().unwrap_or_else(|| ".".into());
        let workspace = asked.canonicalize().map_err(|error| {
            CommandError::usage(
                format!("the workspace {} can't be opened: {error}", asked.display()),
                "--workspace names an existing folder",
            )
        })?;
        let places = Places::of(&workspace, environment::get);
        let mut settings = Settings::load(global.color, &places, environment::get)?;
        let warnings = Problems::from(std::mem::take(&mut settings.warnings));
        if !warnings.is_empty() {
            let color = Look::stderr(settings.color.value).color;
            note(warnings.render(color).trim_end());
        }
        let half = || machine::memory() / 2;
        let ceiling = settings
            .memory
            .as_ref()
            .map_or_else(half, |set| set.value.0);
        Ok(Self {
            room: Room::new(ceiling, Limits::default().together()),
            inherited,
            global,
            settings,
            places,
            workspace,
            evaluator: Arc::new(ModuleEvaluator::new(EVALUATOR, EvaluationLimits::default())),
        })
    }

    /// Where runs live.
    pub(crate) fn runs(&self) -> Result<Runs, Failure> {
        let state = self.settings.state.as_ref();
        let state = state.ok_or_else(|| no_home("runs", "SIDESTEP_STATE=dir:/PATH"))?;
        Ok(Runs::at(&state.value))
    }

    /// The folder of sandboxes.
    pub(crate) fn sandboxes(&self) -> Result<PathBuf, Failure> {
        let sandboxes = self.places.sandboxes();
        sandboxes.ok_or_else(|| no_home("sandboxes", "XDG_STATE_HOME=/PATH"))
    }

    /// A run that the command line names.
    pub(crate) fn open_run(&self, run: &str) -> Result<RunFolder, CommandError> {
        Ok(self.runs()?.open(&run_id(run)?)?)
    }

    /// How standard output may look.
    pub(crate) fn look(&self) -> Look {
        Look::stdout(self.settings.color.value)
    }
}

/// What keeps a command from having a folder for what it keeps.
fn no_home(what: &str, variable: &str) -> Failure {
    Failure::new(
        Class::InvalidInput,
        NO_HOME,
        Owner::Operator,
        format!("there is no folder for {what}: neither HOME nor XDG_STATE_HOME is set to a path"),
    )
    .with_help("name one that is yours alone:")
    .with_helps(Shown::new(&["export"]).value(variable).build())
}

/// A run's id from the command line.
pub(crate) fn run_id(text: &str) -> Result<RunId, CommandError> {
    text.parse().map_err(|error| {
        CommandError::usage(
            format!("{error}"),
            "`sidestep runs` lists the runs that are there",
        )
    })
}
