//! The commands, one module each, and their dispatch.

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

use sidestep_events::{Exit, Failure};
use sidestep_launch::Error;
use sidestep_report::render_failure;

use crate::cli::{Cli, Command};
use crate::output::{Look, note, note_prose};
use crate::session::Session;
use crate::signals::Inherited;

/// Runs the command, reports its error, and returns the exit code.
pub(crate) fn dispatch(cli: Cli, inherited: Inherited) -> Exit {
    let color = cli.global.color.unwrap_or_default();
    perform(cli, inherited).unwrap_or_else(|error| {
        let color = Look::stderr(color).color;
        match &error {
            Error::Problems(problems) => note(problems.render(color).trim_end()),
            Error::Failed(failure) => {
                note_prose(&render_failure(failure, color).join("\n"));
            }
        }
        error.exit()
    })
}

fn perform(cli: Cli, inherited: Inherited) -> Result<Exit, Error> {
    // These commands need no settings, and must work even if the settings are broken.
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

/// The stack size of a thread in bytes, the same as a main thread's.
const STACK: usize = 8 << 20;

/// Runs an asynchronous command to its end.
fn wait(command: impl Future<Output = Result<Exit, Error>>) -> Result<Exit, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // The clouds' clients nest deeply. Only pages that are touched take memory.
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .map_err(|error| Failure::bug(format!("no threads could be started: {error}")))?;
    let exit = runtime.block_on(command);
    // Blocking tasks that still run must not delay the exit.
    runtime.shutdown_background();
    exit
}
