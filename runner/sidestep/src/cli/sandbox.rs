//! `sandbox`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Output;

/// `sidestep sandbox …`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Sandbox {
    /// The scenario: how the sandbox is broken
    #[arg(long, value_name = "NAME", default_value = "healthy")]
    pub scenario: String,
    /// Use a Kubernetes cluster of yours, by its kubeconfig context, in place of the sandbox's own
    #[arg(long, value_name = "CONTEXT")]
    pub cluster: Option<String>,
    /// The namespaces whose pods get an identity, separated by commas [default: all]
    #[arg(
        long,
        value_name = "NAMESPACE",
        value_delimiter = ',',
        value_parser = clap::builder::NonEmptyStringValueParser::new(),
        requires = "cluster"
    )]
    pub namespaces: Vec<String>,
    /// The caller whose credentials the exports hold: developer, nobody, or a service account's address
    #[arg(long = "as", value_name = "PRINCIPAL")]
    pub caller: Option<String>,
    /// Print the exports of a CI job, for a shell that stands for one
    #[arg(long, value_name = "CI", conflicts_with = "caller")]
    pub ci: Option<Ci>,
    /// A claim in the CI job's id tokens, such as ref=refs/heads/main; an empty value removes it
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = claim, requires = "ci")]
    pub claims: Vec<(String, String)>,
    /// Serve in the background: print nothing, and end after 15 minutes without a request
    #[arg(long, hide = true)]
    pub detached: bool,
    /// The subcommand; without one, the sandbox is served in the foreground.
    #[command(subcommand)]
    pub command: Option<SandboxCommand>,
}

/// `sidestep sandbox …`
#[derive(Debug, Subcommand)]
pub enum SandboxCommand {
    /// Stop the running sandbox, and keep its state
    Stop(SandboxName),
    /// Stop the running sandbox, and delete its state
    Reset(SandboxName),
    /// Print whether the sandbox runs, and its addresses; `--output env` prints its exports
    Status {
        /// The sandbox.
        #[command(flatten)]
        name: SandboxName,
        /// The format of the output
        #[arg(long, value_name = "FORMAT", default_value = "human")]
        output: StatusFormat,
        /// The caller whose credentials the exports hold: developer, nobody, or a service account's address
        #[arg(long = "as", value_name = "PRINCIPAL")]
        caller: Option<String>,
        /// Print exports for clients whose endpoints can't be set: a proxy serves Google's own host names
        #[arg(long)]
        proxy: bool,
        /// Print the exports of a CI job, for a shell that stands for one
        #[arg(long, value_name = "CI", conflicts_with_all = ["caller", "proxy"])]
        ci: Option<Ci>,
        /// A claim in the CI job's id tokens, such as ref=refs/heads/main; an empty value removes it
        #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = claim, requires = "ci")]
        claims: Vec<(String, String)>,
    },
    /// List the scenarios
    Scenarios {
        /// List the messages of Google and Kubernetes by which people meet a broken link
        #[arg(long)]
        symptoms: bool,
        /// The format.
        #[command(flatten)]
        output: Output,
    },
    /// Write this program as a container image, and its kaniko as a second one, in one archive
    Image {
        /// The archive to write; `-` is standard output
        #[arg(short = 'o', value_name = "FILE")]
        file: PathBuf,
    },
    /// Relay the connections of a node's pods to the sandbox: the process of a pod of the sandbox's
    #[command(hide = true)]
    Relay {
        /// The node's name
        #[arg(long, value_name = "NAME")]
        node: String,
    },
    /// Run the sandbox's kaniko, with kaniko's own flags
    #[command(disable_help_flag = true)]
    Kaniko {
        /// kaniko's flags.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// The sandbox to use.
#[derive(Debug, Args)]
pub struct SandboxName {
    /// The sandbox's scenario
    #[arg(long, value_name = "NAME", default_value = "healthy")]
    pub scenario: String,
    /// The kubeconfig context of the sandbox's cluster, if it does not have its own
    #[arg(long, value_name = "CONTEXT")]
    pub cluster: Option<String>,
}

/// The format of a sandbox's status.
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

/// A CI system that the sandbox stands in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ci {
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
}

impl Ci {
    /// Returns the name of the CI system in the sandbox.
    pub fn name(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
        }
    }
}

/// Parses `NAME=VALUE`.
fn claim(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}
