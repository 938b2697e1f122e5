//! `context`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Output;

/// `sidestep context …`
#[derive(Debug, Subcommand)]
pub enum Context {
    /// List what the context holds, one path a line
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

/// What becomes of modes.
#[derive(Debug, Args)]
pub struct Modes {
    /// Keep the modes of files; without it they are 644 or 755, as on every machine
    #[arg(long)]
    pub keep_modes: bool,
}
