//! What runs left: `runs`, `logs` and `gc`.

use clap::{Args, Subcommand, ValueEnum};

use super::Output;

/// `sidestep runs`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Runs {
    /// The format.
    #[command(flatten)]
    pub output: Output,
    /// What of the runs; a list without it.
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
}

/// `sidestep runs …`
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// Show what each step of a run was granted and touched
    Show {
        /// The run's id
        run: String,
        /// The format.
        #[command(flatten)]
        output: Output,
    },
}

/// `sidestep logs`
#[derive(Debug, Args)]
pub struct Logs {
    /// The run's id
    pub run: String,
    /// A step, or one instance of it
    pub step: Option<String>,
    /// Go on until the run ends
    #[arg(short, long)]
    pub follow: bool,
    /// Only this container of the pods: NAME, or NAMESPACE/POD/NAME
    #[arg(long, value_name = "CONTAINER")]
    pub container: Option<String>,
    /// Write the bytes of one container's log, unchanged but for masked secrets
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true, default_missing_value = "away")]
    pub raw: Option<Raw>,
}

/// Where the bytes of a log may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Raw {
    /// To a file or a program, not to a terminal
    Away,
    /// To a terminal, too, which obeys the control sequences in the log
    Force,
}

/// `sidestep gc`
#[derive(Debug, Args)]
pub struct Gc {
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
    /// Look in the sandbox: healthy, or SCENARIO
    #[arg(long, value_name = "SCENARIO", num_args = 0..=1, require_equals = true, default_missing_value = "healthy")]
    pub sandbox: Option<String>,
    /// A cluster to look in besides those that journals here name, as pipelines name it: where
    /// the machine that ran the pipeline is gone, and its journal with it
    #[arg(long, value_name = "CLUSTER", requires = "namespace")]
    pub cluster: Option<String>,
    /// The namespace of that cluster
    #[arg(long, value_name = "NAMESPACE", requires = "cluster")]
    pub namespace: Option<String>,
    /// The format.
    #[command(flatten)]
    pub output: Output,
}
