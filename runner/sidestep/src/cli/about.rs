//! About Sidestep itself: `schema`, `settings` and `completions`.

use clap::{Args, ValueEnum};

use super::Output;

/// `sidestep schema`
#[derive(Debug, Args)]
pub struct Schema {
    /// The format to print the schema of
    pub of: SchemaOf,
}

/// A format that has a schema.
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
    /// Explain every setting, environment variable and file instead
    #[arg(long)]
    pub explain: bool,
    /// The format.
    #[command(flatten)]
    pub output: Output,
}

/// `sidestep limits`
#[derive(Debug, Args)]
pub struct Limits {
    /// Print what each grant allows instead, with the keys of its scopes
    #[arg(long)]
    pub grants: bool,
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
