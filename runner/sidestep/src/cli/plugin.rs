//! `sidestep plugin …`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Output;

/// `sidestep plugin …`
#[derive(Debug, Subcommand)]
pub enum Plugin {
    /// Create a plugin's project: a step, its test, and a pipeline that runs it
    ///
    /// Writes the folder NAME. The project is built by `sidestep plugin build`, which needs Rust and
    /// nothing else.
    New(NewPlugin),
    /// Build a plugin's component, and print its size and digest
    ///
    /// Compiles the crate in DIR for wasm32-unknown-unknown with its own Rust toolchain, converts the
    /// module to a component, and checks its manifest, its imports and its requests as far as that is
    /// possible without inputs. Writes NAME.wasm in DIR.
    Build(BuildPlugin),
    /// Print a plugin's manifest, imports, size and digest, without running it
    Inspect(InspectPlugin),
}

/// `sidestep plugin new`
#[derive(Debug, Args)]
pub struct NewPlugin {
    /// The plugin's name: lower-case words joined by `-`
    pub name: String,
    /// The language of the step
    #[arg(long, value_name = "LANGUAGE", default_value = "rust")]
    pub language: Language,
}

/// A language that plugins are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Rust
    Rust,
    /// JavaScript; not available in this version
    Javascript,
}

/// `sidestep plugin build`
#[derive(Debug, Args)]
pub struct BuildPlugin {
    /// The folder of the plugin's crate [default: the current one]
    pub dir: Option<PathBuf>,
    /// Build again after each change of a file, until interrupted
    #[arg(long)]
    pub watch: bool,
    /// Keep debug information, so that the backtrace of a trap has the names of functions; the code is not optimised
    #[arg(long)]
    pub debug: bool,
    /// Write the component to this file
    #[arg(short, value_name = "FILE")]
    pub o: Option<PathBuf>,
    /// The format.
    #[command(flatten)]
    pub output: Output,
}

/// `sidestep plugin inspect`
#[derive(Debug, Args)]
pub struct InspectPlugin {
    /// The plugin, as a step's `uses` names it; a bare NAME is sidestep/NAME
    pub plugin: String,
    /// The format.
    #[command(flatten)]
    pub output: Output,
}
