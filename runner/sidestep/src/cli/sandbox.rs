//! `sandbox`.

use clap::{Args, Subcommand, ValueEnum};

use super::Output;

/// `sidestep sandbox …`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Sandbox {
    /// How it is broken
    #[arg(long, value_name = "NAME", default_value = "healthy")]
    pub scenario: String,
    /// Whose sign-in the exports hold: developer, nobody, or a service account's address
    #[arg(long = "as", value_name = "PRINCIPAL")]
    pub caller: Option<String>,
    /// Serve for others: print nothing, and end when nobody has called for 15 minutes
    #[arg(long, hide = true)]
    pub detached: bool,
    /// What of it; serves it in the foreground without one.
    #[command(subcommand)]
    pub command: Option<SandboxCommand>,
}

/// `sidestep sandbox …`
#[derive(Debug, Subcommand)]
pub enum SandboxCommand {
    /// End the running sandbox; what it knows is kept
    Stop(SandboxName),
    /// End the running sandbox and forget everything
    Reset(SandboxName),
    /// Say whether it runs, and where; `--output env` prints its exports
    Status {
        /// Which.
        #[command(flatten)]
        name: SandboxName,
        /// The format of what is printed
        #[arg(long, value_name = "FORMAT", default_value = "human")]
        output: StatusFormat,
        /// Whose sign-in the exports hold: developer, nobody, or a service account's address
        #[arg(long = "as", value_name = "PRINCIPAL")]
        caller: Option<String>,
        /// Exports for clients that can't be pointed elsewhere: Google's own names, by a proxy
        #[arg(long)]
        proxy: bool,
    },
    /// List the ways to break it
    Scenarios {
        /// The format.
        #[command(flatten)]
        output: Output,
    },
    /// The sandbox's kaniko: takes kaniko's own flags
    #[command(disable_help_flag = true)]
    Kaniko {
        /// kaniko's flags.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// Which sandbox.
#[derive(Debug, Args)]
pub struct SandboxName {
    /// Its scenario
    #[arg(long, value_name = "NAME", default_value = "healthy")]
    pub scenario: String,
}

/// How a sandbox's status is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum StatusFormat {
    /// For people.
    #[default]
    Human,
    /// For programs.
    Json,
    /// Lines that a shell can `eval`.
    Env,
}
