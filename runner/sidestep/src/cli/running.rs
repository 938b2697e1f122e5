//! Running: `run`, `exec` and `resume`.

use std::num::NonZero;
use std::path::PathBuf;

use clap::Args;

use super::Output;
use crate::settings::OnTerminate;

/// What a pipeline is given.
#[derive(Debug, Args)]
pub struct Inputs {
    /// An input; NAME=@FILE.json for a structure
    #[arg(short, value_name = "NAME=VALUE")]
    pub input: Vec<String>,
    /// A file of inputs, JSON or YAML
    #[arg(long, value_name = "FILE")]
    pub inputs: Option<PathBuf>,
}

/// A pipeline and what it is given.
#[derive(Debug, Args)]
pub struct Pipeline {
    /// The pipeline's file [default: sidestep.yaml]
    pub file: Option<PathBuf>,
    /// What it is given.
    #[command(flatten)]
    pub inputs: Inputs,
    /// One more policy that caps the run
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// How a run is run and shown.
#[derive(Debug, Args)]
pub struct RunFlags {
    /// How many steps run side by side
    #[arg(long, value_name = "N")]
    pub max_parallel: Option<NonZero<usize>>,
    /// What SIGTERM and SIGHUP do: cancel and clean up, or leave what runs outside
    #[arg(long, value_name = "WHAT")]
    pub on_terminate: Option<OnTerminate>,
    /// Run against the sandbox, no account needed: healthy, or broken as SCENARIO says
    #[arg(long, value_name = "SCENARIO", num_args = 0..=1, require_equals = true, default_missing_value = "healthy")]
    pub sandbox: Option<String>,
    /// Who calls the sandbox [default: developer]; nobody, or a service account's address
    #[arg(long = "as", value_name = "PRINCIPAL")]
    pub caller: Option<String>,
    /// The format: json is one event a line
    #[command(flatten)]
    pub output: Output,
}

/// `sidestep run`
#[derive(Debug, Args)]
pub struct Run {
    /// The pipeline.
    #[command(flatten)]
    pub pipeline: Pipeline,
    /// Run only these steps, and what they need: a step's id, or one instance's, `build[arch=arm64]`
    #[arg(long, value_name = "ID")]
    pub step: Vec<String>,
    /// The run's id; one that is not finished goes on
    #[arg(long, value_name = "ID")]
    pub run_id: Option<String>,
    /// How.
    #[command(flatten)]
    pub flags: RunFlags,
}

/// `sidestep exec`
#[derive(Debug, Args)]
pub struct Exec {
    /// The plugin, as a step's `uses` names it; a bare NAME is sidestep/NAME
    pub plugin: String,
    /// One of the plugin's inputs; NAME=@FILE.json for a structure
    #[arg(short, value_name = "NAME=VALUE")]
    pub input: Vec<String>,
    /// A file of inputs, JSON or YAML
    #[arg(long, value_name = "FILE")]
    pub inputs: Option<PathBuf>,
    /// What it is granted, as under a step's `grants`; JSON or YAML
    #[arg(long, value_name = "FILE")]
    pub grants: Option<PathBuf>,
    /// One more policy that caps the run
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// The run's id; one that is not finished goes on
    #[arg(long, value_name = "ID")]
    pub run_id: Option<String>,
    /// How.
    #[command(flatten)]
    pub flags: RunFlags,
}

/// `sidestep resume`
#[derive(Debug, Args)]
pub struct Resume {
    /// The run's id
    pub run: String,
    /// One more policy that caps the run
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// How.
    #[command(flatten)]
    pub flags: RunFlags,
}
