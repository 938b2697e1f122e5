//! What can be typed.

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
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
}

/// Where help shows the options of every command.
const EVERYWHERE: &str = "Options of every command";

/// What holds for every command.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// The folder that all paths are relative to [default: the current one]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// When to use colours
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "WHEN")]
    pub color: Option<Color>,
    /// Say more: once for debug lines, twice for every call of a plugin, three times for the runner's own log
    #[arg(short, long, global = true, help_heading = EVERYWHERE, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Say only warnings, failures and the end
    #[arg(short, long, global = true, help_heading = EVERYWHERE, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a pipeline
    ///
    /// FILE defaults to sidestep.yaml. With --sandbox and no such file, the Dockerfile of the
    /// workspace is built with the built-in quickstart. Under CI the run's id is the CI's own, so a
    /// job that is started again goes on where the first one stopped.
    Run(Run),
    /// Check pipeline files: every problem at once
    ///
    /// Nothing is started and nothing is called. The exit code is the one that `run` would end with
    /// before it started: 0, 2 for what is wrong in a file, 3 for a missing grant, 6 for a policy or
    /// a setting that can't be read.
    Validate(Validate),
    /// Show what would run, and what each step may touch
    ///
    /// Nothing is started and nothing is called. `--output json` prints the very value that `run`
    /// executes.
    Plan(Plan),
    /// Run one plugin, without a pipeline file
    ///
    /// It runs as the one step of a run, which `runs`, `logs` and `resume` know like any other.
    Exec(Exec),
    /// Go on with a run: what did not succeed is tried again
    ///
    /// Steps that succeeded keep their outputs. A step whose process was killed finds the pod that
    /// it had, and follows its log from where it stopped.
    Resume(Resume),
    /// List runs, or show one
    Runs(Runs),
    /// Print what a run, or one of its steps, said
    Logs(Logs),
    /// Remove what crashed runs left behind, in clusters and on this disk
    ///
    /// A pod or an object is removed when its run's journal says that it goes with its step and the
    /// run's process is gone, or when it carries Sidestep's mark and its time is over. What a live
    /// run uses, what a detached run waits for, and what another machine's run made that has not
    /// expired, is left alone. Every run first sweeps expired pods in the namespaces it works in.
    Gc(Gc),
    /// Show what a build context holds
    #[command(subcommand)]
    Context(Context),
    /// Look at plugins
    #[command(subcommand)]
    Plugin(Plugin),
    /// Google's side and a small Kubernetes on this machine: serve it, or look after it
    Sandbox(Sandbox),
    /// Print a JSON Schema (draft 2020-12), for editors and programs
    ///
    /// An editor checks pipelines as you type with `sidestep schema pipeline > sidestep.schema.json`
    /// and `# yaml-language-server: $schema=./sidestep.schema.json` as the pipeline's first line.
    Schema(Schema),
    /// Print each setting and where it comes from
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

/// Picks the format.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Output {
    /// The format of what is printed
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
