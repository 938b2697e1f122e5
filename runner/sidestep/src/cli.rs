//! What can be typed.

use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::settings::OnTerminate;

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
    /// Say more: once for debug lines, twice for every call of a plugin
    #[arg(short, long, global = true, help_heading = EVERYWHERE, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Say only warnings, failures and the end
    #[arg(short, long, global = true, help_heading = EVERYWHERE, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
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

/// A pipeline and what it is given.
#[derive(Debug, Args)]
pub struct Pipeline {
    /// The pipeline's file [default: sidestep.yaml]
    pub file: Option<PathBuf>,
    /// An input; NAME=@FILE.json for a structure
    #[arg(short, value_name = "NAME=VALUE")]
    pub input: Vec<String>,
    /// A file of inputs, JSON or YAML
    #[arg(long, value_name = "FILE")]
    pub inputs: Option<PathBuf>,
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

/// How what was found in files is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ProblemsFormat {
    /// For people.
    #[default]
    Human,
    /// For programs: a list.
    Json,
    /// SARIF 2.1.0, as code scanning takes it.
    Sarif,
    /// GitHub's workflow commands: annotations of a change's lines.
    Github,
}

/// `sidestep validate`
#[derive(Debug, Args)]
pub struct Validate {
    /// The pipelines' files [default: sidestep.yaml]
    pub files: Vec<PathBuf>,
    /// An input; NAME=@FILE.json for a structure
    #[arg(short, value_name = "NAME=VALUE")]
    pub input: Vec<String>,
    /// A file of inputs, JSON or YAML
    #[arg(long, value_name = "FILE")]
    pub inputs: Option<PathBuf>,
    /// One more policy that caps the run
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// The format
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub output: ProblemsFormat,
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
    /// Print the least `grants` that each step requests, as YAML to paste, whatever the file
    /// grants and policies allow
    #[arg(long, group = "instead", conflicts_with = "output")]
    pub suggest_grants: bool,
    /// Print the least Role and RoleBinding that the runner needs in each namespace, as YAML for
    /// kubectl. WHO runs sidestep: an e-mail, or NAMESPACE/NAME of a Kubernetes service account
    #[arg(long, group = "instead", conflicts_with = "output", value_name = "WHO", num_args = 0..=1, require_equals = true)]
    pub rbac: Option<Option<String>>,
    /// Print the least IAM bindings that the runner and the steps' pods need, as gcloud commands.
    /// MEMBER runs sidestep: serviceAccount:E-MAIL, user:E-MAIL or principal://…
    #[arg(long, group = "instead", conflicts_with = "output", value_name = "MEMBER", num_args = 0..=1, require_equals = true)]
    pub iam: Option<Option<String>>,
}

/// How a plan is printed.
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

/// `sidestep exec`
#[derive(Debug, Args)]
pub struct Exec {
    /// The plugin, as a step's `uses` names it
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
    /// How.
    #[command(flatten)]
    pub flags: RunFlags,
}

/// `sidestep plugin …`
#[derive(Debug, Subcommand)]
pub enum Plugin {
    /// Print a plugin's manifest, imports, size and digest; nothing of it runs
    Inspect {
        /// The plugin, as a step's `uses` names it
        plugin: String,
        /// The format.
        #[command(flatten)]
        output: Output,
    },
}

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

/// `sidestep context …`
#[derive(Debug, Subcommand)]
pub enum Context {
    /// List what the context holds, one path a line
    Ls {
        /// The context.
        #[command(flatten)]
        context: ContextDir,
        /// The format.
        #[command(flatten)]
        output: Output,
    },
    /// Write the context's archive
    Pack {
        /// The context.
        #[command(flatten)]
        context: ContextDir,
        /// The file to write
        #[arg(short = 'o', value_name = "FILE")]
        file: PathBuf,
    },
    /// Say which line of the ignore file decides about a path
    Explain {
        /// A path in the context
        path: PathBuf,
        /// The context.
        #[command(flatten)]
        context: ContextDir,
    },
}

/// Which context.
#[derive(Debug, Args)]
pub struct ContextDir {
    /// The context's folder
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// The Dockerfile, relative to the context; it decides which ignore file counts
    #[arg(long, value_name = "FILE", default_value = "Dockerfile")]
    pub dockerfile: PathBuf,
}

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
    /// End the live one; what it knows is kept
    Stop(SandboxName),
    /// End the live one and forget everything
    Reset(SandboxName),
    /// Say which is live and where; `--output env` prints its exports
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

/// `sidestep schema`
#[derive(Debug, Args)]
pub struct Schema {
    /// Of what
    pub of: SchemaOf,
}

/// What there is a schema of.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum SchemaOf {
    /// A pipeline file, with the inputs of the built-in plugins
    Pipeline,
    /// A policy file
    Policy,
    /// One line of `--output json`
    Events,
    /// The `sidestep:manifest` section of a plugin
    PluginManifest,
}

/// `sidestep settings`
#[derive(Debug, Args)]
pub struct Settings {
    /// The format.
    #[command(flatten)]
    pub output: Output,
}

/// `sidestep completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        super::Cli::command().debug_assert();
    }
}
