//! Commands for earlier runs: `runs`, `logs` and `gc`.

use clap::{Args, Subcommand, ValueEnum};

use super::Output;

/// `sidestep runs`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Runs {
    /// The format.
    #[command(flatten)]
    pub output: Output,
    /// The subcommand; without one, the runs are listed.
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
    /// Follow the log until the run ends
    #[arg(short, long)]
    pub follow: bool,
    /// Print only this container's log: NAME, or NAMESPACE/POD/NAME
    #[arg(long, value_name = "CONTAINER")]
    pub container: Option<String>,
    /// Write the bytes of one container's log, unchanged except for masked secrets
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true, default_missing_value = "away")]
    pub raw: Option<Raw>,
}

/// The places that the bytes of a log may be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Raw {
    /// To a file or a program, not to a terminal
    Away,
    /// Also to a terminal, which obeys the control sequences in the log
    Force,
}

/// `sidestep gc`
#[derive(Debug, Args)]
pub struct Gc {
    /// Print what would be removed, without removing it
    #[arg(long)]
    pub dry_run: bool,
    /// Clean up in the sandbox: healthy, or SCENARIO; SCENARIO@CONTEXT is a sandbox on a cluster of yours
    #[arg(long, value_name = "SCENARIO", num_args = 0..=1, require_equals = true, default_missing_value = "healthy")]
    pub sandbox: Option<String>,
    /// An additional cluster to clean up, named as in a pipeline. Without it, only clusters that
    /// journals on this machine name are searched. Use it if the machine that ran the pipeline is
    /// gone, together with its journals
    #[arg(long, value_name = "CLUSTER", requires = "namespace")]
    pub cluster: Option<String>,
    /// The namespace in that cluster
    #[arg(long, value_name = "NAMESPACE", requires = "cluster")]
    pub namespace: Option<String>,
    /// The format.
    #[command(flatten)]
    pub output: Output,
}
