//! The command line.

mod about;
mod checking;
mod context;
mod plugin;
mod pod;
mod running;
mod runs;
mod sandbox;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

pub use about::{Completions, Limits, Schema, SchemaOf, Settings};
pub use checking::{Plan, PlanFormat, ProblemsFormat, Validate};
pub use context::{Context, ContextDir, Modes};
pub use plugin::{BuildPlugin, InspectPlugin, Language, NewPlugin, Plugin};
pub use pod::Pod;
pub use running::{Exec, Inputs, Pipeline, Resume, Run, RunFlags, Variables};
pub use runs::{Gc, Logs, Raw, Runs, RunsCommand};
pub use sandbox::{Ci, Sandbox, SandboxCommand, SandboxName, StatusFormat};

use sidestep_report::Verbosity;

pub use crate::reporters::RunFormat;
use crate::settings::Color;

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

impl Global {
    /// Returns how much of a run is shown.
    pub(crate) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, 1) => Verbosity::Verbose,
            (false, _) => Verbosity::Trace,
        }
    }
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
