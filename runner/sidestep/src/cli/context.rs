//! `context`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Output;

/// `sidestep context …`
#[derive(Debug, Subcommand)]
pub enum Context {
    /// List the files of the context, one path per line
    Ls {
        /// The context.
        #[command(flatten)]
        context: ContextDir,
        /// The modes.
        #[command(flatten)]
        modes: Modes,
        /// The format.
        #[command(flatten)]
        output: Output,
    },
    /// Write the context's archive
    Pack {
        /// The context.
        #[command(flatten)]
        context: ContextDir,
        /// The modes.
        #[command(flatten)]
        modes: Modes,
        /// The file to write
        #[arg(short = 'o', value_name = "FILE")]
        file: PathBuf,
    },
    /// Show which line of the ignore file includes or excludes a path
    Explain {
        /// A path in the context
        path: PathBuf,
        /// The context.
        #[command(flatten)]
        context: ContextDir,
    },
}

/// The context.
#[derive(Debug, Args)]
pub struct ContextDir {
    /// The context's folder
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// The Dockerfile, relative to the context; it determines which ignore file applies
    #[arg(long, value_name = "FILE", default_value = "Dockerfile")]
    pub dockerfile: PathBuf,
}

/// The options for file modes.
#[derive(Debug, Args)]
pub struct Modes {
    /// Keep the modes of files, instead of normalizing them to 644 or 755
    #[arg(long)]
    pub keep_modes: bool,
}
