//! The command line.

mod about;
mod checking;
mod context;
mod running;
mod runs;
mod sandbox;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use about::{Completions, Limits, Plugin, Schema, SchemaOf, Settings};
pub use checking::{Plan, PlanFormat, ProblemsFormat, Validate};
pub use context::{Context, ContextDir, Modes};
pub use running::{Exec, Inputs, Pipeline, Resume, Run, RunFlags};
pub use runs::{Gc, Logs, Raw, Runs, RunsCommand};
pub use sandbox::{Sandbox, SandboxCommand, SandboxName, StatusFormat};

use crate::settings::Color;

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
    pub command: Command,
    /// The options of every command.
    #[command(flatten)]
    pub global: Global,
}

/// The help heading of the options of every command.
const EVERYWHERE: &str = "Options of every command";

/// The options of every command.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// The folder that all paths are relative to [default: the current one]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// When to use colours
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "WHEN")]
    pub color: Option<Color>,
    /// Print more: once for debug lines, twice for each host call of a plugin, three times for the runner's own log
    #[arg(short, long, global = true, help_heading = EVERYWHERE, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Print only warnings, failures and the result
    #[arg(short, long, global = true, help_heading = EVERYWHERE, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// The command to run.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a pipeline
    ///
    /// FILE defaults to sidestep.yaml. With --sandbox and no such file, the built-in quickstart
    /// builds the Dockerfile of the workspace. Under CI, the run's id derives from the CI job, so a
    /// retried job resumes the run of the first attempt.
    Run(Run),
    /// Check pipeline files and report every problem at once
    ///
    /// No step is started and no service is called. The exit code is the one that `run` would end
    /// with before its first step: 0, 2 for an error in a file, 3 for a missing grant, 6 for a policy
    /// or a setting that can't be read.
    Validate(Validate),
    /// Show what would run, and what each step may touch
    ///
    /// No step is started and no service is called. `--output json` prints the plan exactly as `run`
    /// executes it.
    Plan(Plan),
    /// Run one plugin, without a pipeline file
    ///
    /// The plugin is the only step of a run that works with `runs`, `logs` and `resume` like any
    /// other run.
    Exec(Exec),
    /// Resume a run: retry the steps that did not succeed
    ///
    /// Steps that succeeded keep their outputs. If the runner was killed while a step's pod ran, the
    /// step finds that pod again and follows its log from where it stopped.
    Resume(Resume),
    /// List runs, or show one
    Runs(Runs),
    /// Print the log of a run, or of one of its steps
    Logs(Logs),
    /// Remove what crashed runs left behind, in clusters and on this disk
    ///
    /// Removes a pod or an object if its run's process is gone and the run's journal says that it is
    /// removed with its step, or if it has Sidestep's mark and has expired. Keeps everything that a
    /// live run uses, that a detached run waits for, or that a run on another machine made and that
    /// has not expired. Every run first removes expired pods in the namespaces that it works in.
    Gc(Gc),
    /// List, pack or explain a build context
    #[command(subcommand)]
    Context(Context),
    /// Inspect plugins
    #[command(subcommand)]
    Plugin(Plugin),
    /// Serve or manage the sandbox: Google's APIs and a small Kubernetes on this machine
    Sandbox(Sandbox),
    /// Print a JSON Schema (draft 2020-12), for editors and programs
    ///
    /// An editor checks pipelines as you type with `sidestep schema pipeline > sidestep.schema.json`
    /// and `# yaml-language-server: $schema=./sidestep.schema.json` as the pipeline's first line.
    Schema(Schema),
    /// Print each setting and its source
    Settings(Settings),
    /// Print each limit of a step, a plugin or a file, with the setting that changes it
    Limits(Limits),
    /// Print a completion script for a shell
    Completions(Completions),
}

/// A format for people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs.
    Json,
}

/// The option that selects the format.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Output {
    /// The format of the output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub output: Format,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        super::Cli::command().debug_assert();
    }
}
