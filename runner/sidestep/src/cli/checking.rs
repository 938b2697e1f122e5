//! Checks before a run: `validate` and `plan`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Inputs, Pipeline};

/// `sidestep validate`
#[derive(Debug, Args)]
pub struct Validate {
    /// The pipeline files, or - for standard input [default: sidestep.yaml]
    pub files: Vec<PathBuf>,
    /// The inputs.
    #[command(flatten)]
    pub inputs: Inputs,
    /// An additional policy that limits the run
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// The format
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub output: ProblemsFormat,
}

/// The format of the problems that were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ProblemsFormat {
    /// For people.
    #[default]
    Human,
    /// For programs: a list.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// GitHub's workflow commands, which annotate the lines of a change.
    Github,
}

/// `sidestep plan`
#[derive(Debug, Args)]
pub struct Plan {
    /// The pipeline.
    #[command(flatten)]
    pub pipeline: Pipeline,
    /// The format
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub output: PlanFormat,
    /// The file to write instead of standard output
    #[arg(short = 'o', id = "out", value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print the minimal `grants` that each step requests, as YAML to paste, regardless of what the
    /// file grants and policies allow
    #[arg(long, group = "instead", conflicts_with = "output")]
    pub suggest_grants: bool,
    /// Print the minimal Role and RoleBinding that the runner needs in each namespace, as YAML for
    /// kubectl. WHO is the account that runs sidestep: an e-mail address, or NAMESPACE/NAME of a
    /// Kubernetes service account
    #[arg(long, group = "instead", conflicts_with = "output", value_name = "WHO", num_args = 0..=1, require_equals = true)]
    pub rbac: Option<Option<String>>,
    /// Print the minimal IAM bindings that the runner and the steps' pods need, as gcloud commands.
    /// MEMBER is the account that runs sidestep: serviceAccount:E-MAIL, user:E-MAIL or principal://…
    #[arg(long, group = "instead", conflicts_with = "output", value_name = "MEMBER", num_args = 0..=1, require_equals = true)]
    pub iam: Option<Option<String>>,
}

/// The format of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum PlanFormat {
    /// For people.
    #[default]
    Human,
    /// The plan itself, for programs.
    Json,
    /// A Mermaid flowchart of the steps, for Markdown.
    Mermaid,
}
