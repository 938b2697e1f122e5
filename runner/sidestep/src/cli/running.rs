//! Commands that run steps: `run`, `exec` and `resume`.

use std::num::NonZero;
use std::path::PathBuf;

use clap::Args;

use super::RunFormat;
use crate::settings::OnTerminate;

/// The inputs of a pipeline.
#[derive(Debug, Args)]
pub struct Inputs {
    /// An input; NAME=@FILE.json for a list or a map
    #[arg(short, value_name = "NAME=VALUE")]
    pub input: Vec<String>,
    /// A file of inputs, JSON or YAML
    #[arg(long, value_name = "FILE")]
    pub inputs: Option<PathBuf>,
    /// The variables that the pipeline may read.
    #[command(flatten)]
    pub variables: Variables,
}

/// Variables that a pipeline may read, beside those of the environment.
#[derive(Debug, Args)]
pub struct Variables {
    /// A file of environment variables, one NAME=VALUE a line; only those that the pipeline lists in `env` or `secrets` are used
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
}

/// A pipeline, its inputs and a policy.
#[derive(Debug, Args)]
pub struct Pipeline {
    /// The pipeline file, or - for standard input [default: sidestep.yaml]
    pub file: Option<PathBuf>,
    /// The inputs.
    #[command(flatten)]
    pub inputs: Inputs,
    /// An additional policy that limits the run
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// The options of a run and its output.
#[derive(Debug, Args)]
pub struct RunFlags {
    /// The maximum number of steps that run in parallel
    #[arg(long, value_name = "N")]
    pub max_parallel: Option<NonZero<usize>>,
    /// The effect of SIGTERM and SIGHUP: cancel and clean up, or leave pods running
    #[arg(long, value_name = "WHAT")]
    pub on_terminate: Option<OnTerminate>,
    /// Run against the sandbox, without any account: healthy, or broken as in SCENARIO; SCENARIO@CONTEXT is a sandbox on a cluster of yours
    #[arg(long, value_name = "SCENARIO", num_args = 0..=1, require_equals = true, default_missing_value = "healthy")]
    pub sandbox: Option<String>,
    /// The caller of the sandbox: developer, nobody, or a service account's address [default: developer]
    #[arg(long = "as", value_name = "PRINCIPAL")]
    pub caller: Option<String>,
    /// The format of the output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub output: RunFormat,
}

/// `sidestep run`
#[derive(Debug, Args)]
pub struct Run {
    /// The pipeline.
    #[command(flatten)]
    pub pipeline: Pipeline,
    /// Run only the given steps and the steps that they need: a step's id, or one instance's, `build[arch=arm64]`
    #[arg(long, value_name = "ID")]
    pub step: Vec<String>,
    /// The run's id; an unfinished run with this id is resumed
    #[arg(long, value_name = "ID")]
    pub run_id: Option<String>,
    /// The options.
    #[command(flatten)]
    pub flags: RunFlags,
}

/// `sidestep exec`
#[derive(Debug, Args)]
pub struct Exec {
    /// The plugin, as a step's `uses` names it; a bare NAME is sidestep/NAME
    pub plugin: String,
    /// An input of the plugin; NAME=@FILE.json for a list or a map
    #[arg(short, value_name = "NAME=VALUE")]
    pub input: Vec<String>,
    /// A file of inputs, JSON or YAML
    #[arg(long, value_name = "FILE")]
    pub inputs: Option<PathBuf>,
    /// A file of grants, as under a step's `grants`; JSON or YAML
    #[arg(long, value_name = "FILE")]
    pub grants: Option<PathBuf>,
    /// An additional policy that limits the run
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// The run's id; an unfinished run with this id is resumed
    #[arg(long, value_name = "ID")]
    pub run_id: Option<String>,
    /// The options.
    #[command(flatten)]
    pub flags: RunFlags,
}

/// `sidestep resume`
#[derive(Debug, Args)]
pub struct Resume {
    /// The run's id
    pub run: String,
    /// The variables that hold secrets.
    #[command(flatten)]
    pub variables: Variables,
    /// An additional policy that limits the run
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// The options.
    #[command(flatten)]
    pub flags: RunFlags,
}
