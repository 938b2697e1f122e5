//! The commands: one row each, with the module that runs it.

mod completions;
mod context;
mod exec;
mod gc;
mod limits;
mod logs;
mod plan;
mod plugin;
mod pod;
mod resume;
mod run;
mod runs;
mod sandbox;
mod schema;
mod settings;
mod validate;

use std::pin::Pin;

use clap::{Parser, Subcommand};
use sidestep_events::{Exit, Failure};
use sidestep_launch::Error;
use sidestep_report::render_failure;

use crate::cli::{self, Global};
use crate::output::{Look, note, note_prose};
use crate::session::Session;
use crate::settings::Color;
use crate::signals::Inherited;

/// Runs CI pipelines whose every step is a sandboxed WebAssembly component.
#[derive(Debug, Parser)]
#[command(
    name = "sidestep",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    command: Command,
    /// The options of every command.
    #[command(flatten)]
    global: Global,
}

/// Defines the commands. A row has a command's help, its name with its arguments, and how it is run.
/// `open` reads the settings: a command that must work although they are broken does not call it.
macro_rules! commands {
    ($($(#[$help:meta])* $name:ident($arguments:ty) = |$open:pat_param, $given:ident| $run:expr;)*) => {
        /// The commands.
        #[derive(Debug, Subcommand)]
        enum Command {
            $($(#[$help])* $name($arguments),)*
        }

        impl Command {
            fn perform(self, open: impl FnOnce() -> Result<Session, Error>) -> Result<Exit, Error> {
                match self {
                    $(Self::$name($given) => {
                        let $open = open;
                        $run
                    })*
                }
            }
        }
    };
}

commands! {
    /// Run a pipeline
    ///
    /// FILE defaults to sidestep.yaml. With --sandbox and no such file, the built-in quickstart
    /// builds the Dockerfile of the workspace. Under CI, the run's id derives from the CI job, so a
    /// retried job resumes the run of the first attempt.
    Run(cli::Run) = |open, args| wait(run::run(&open()?, &args));
    /// Check pipeline files and report every problem at once
    ///
    /// No step is started and no service is called. The exit code is the one that `run` would end
    /// with before its first step: 0, 2 for an error in a file, 3 for a missing grant, 6 for a policy
    /// or a setting that can't be read.
    Validate(cli::Validate) = |open, args| wait(validate::run(&open()?, &args));
    /// Show what would run, and what each step may touch
    ///
    /// No step is started and no service is called. `--output json` prints the plan exactly as `run`
    /// executes it.
    Plan(cli::Plan) = |open, args| wait(plan::run(&open()?, &args));
    /// Run one plugin, without a pipeline file
    ///
    /// The plugin is the only step of a run that works with `runs`, `logs` and `resume` like any
    /// other run.
    Exec(cli::Exec) = |open, args| wait(exec::run(&open()?, &args));
    /// Resume a run: retry the steps that did not succeed
    ///
    /// Steps that succeeded keep their outputs. If the runner was killed while a step's pod ran, the
    /// step finds that pod again and follows its log from where it stopped.
    Resume(cli::Resume) = |open, args| wait(resume::run(&open()?, &args));
    /// List runs, or show one
    Runs(cli::Runs) = |open, args| runs::run(&open()?, args);
    /// Print the log of a run, or of one of its steps
    Logs(cli::Logs) = |open, args| logs::run(&open()?, &args);
    /// Remove what crashed runs left behind, in clusters and on this disk
    ///
    /// Removes a pod or an object if its run's process is gone and the run's journal says that it is
    /// removed with its step, or if it has Sidestep's mark and has expired. Keeps everything that a
    /// live run uses, that a detached run waits for, or that a run on another machine made and that
    /// has not expired. Every run first removes expired pods in the namespaces that it works in.
    Gc(cli::Gc) = |open, args| wait(gc::run(&open()?, &args));
    /// List, pack or explain a build context
    #[command(subcommand)]
    Context(cli::Context) = |open, args| context::run(&open()?, args);
    /// Create, build and inspect plugins
    #[command(subcommand)]
    Plugin(cli::Plugin) = |open, args| plugin::run(&open()?, &args);
    /// Run a command of the helper image, in a pod of a step
    #[command(subcommand, hide = true)]
    Pod(cli::Pod) = |_, args| wait(pod::run(args));
    /// Serve or manage the sandbox: Google's APIs and a small Kubernetes on this machine
    Sandbox(cli::Sandbox) = |open, args| wait(sandbox::run(&open()?, args));
    /// Print a JSON Schema (draft 2020-12), for editors and programs
    ///
    /// An editor checks pipelines as you type with `sidestep schema pipeline > sidestep.schema.json`
    /// and `# yaml-language-server: $schema=./sidestep.schema.json` as the pipeline's first line.
    Schema(cli::Schema) = |open, args| schema::run(&open()?, &args);
    /// Print each setting and its source
    Settings(cli::Settings) = |open, args| Ok(settings::run(&open()?, &args));
    /// Print each limit of a step, a plugin or a file, with the setting that changes it
    Limits(cli::Limits) = |_, args| Ok(limits::run(&args));
    /// Print a completion script for a shell
    Completions(cli::Completions) = |_, args| Ok(completions::run(&args));
}

/// Runs the command, reports its error, and returns the exit code.
pub(crate) fn dispatch(cli: Cli, inherited: Inherited) -> Exit {
    let color = cli.global.color.unwrap_or_default();
    let Cli { command, global } = cli;
    let open = || Session::new(global, inherited);
    command
        .perform(open)
        .unwrap_or_else(|error| reported(&error, color))
}

/// Prints an error, and returns the exit code of a command that ends with it.
fn reported(error: &Error, color: Color) -> Exit {
    let color = Look::stderr(color).color;
    match error {
        Error::Problems(problems) => note(problems.render(color).trim_end()),
        Error::Failed(failure) => {
            note_prose(&render_failure(failure, color).join("\n"));
        }
    }
    error.exit()
}

/// The stack size of a thread in bytes, the same as a main thread's.
const STACK: usize = 8 << 20;

/// Runs an asynchronous command to its end.
fn wait(command: impl Future<Output = Result<Exit, Error>>) -> Result<Exit, Error> {
    // Boxed, so that the command is compiled once. tokio would contain it once for each scheduler.
    wait_for(Box::pin(command))
}

fn wait_for(
    command: Pin<Box<dyn Future<Output = Result<Exit, Error>> + '_>>,
) -> Result<Exit, Error> {
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        super::Cli::command().debug_assert();
    }
}
