//! The text and its style, shared by the plain and the live reporter.

mod failure;
mod fold;
mod going;
mod joined;
mod narrator;
mod paint;
mod plan;
mod summary;
mod units;

use sidestep_events::Command;

pub use failure::render_failure;
pub use fold::{columns, fold, fold_after};
pub use going::going;
pub use joined::JoinedLines;
pub use narrator::Narrator;
pub use plan::render_plan;
pub use units::{bytes, duration};

pub(crate) use units::{progress_text, throughput};

/// The options of the text output.
#[derive(Debug, Clone, Default)]
pub struct TextOptions {
    /// Whether colours may be used.
    pub color: bool,
    /// The amount of output.
    pub verbosity: Verbosity,
    /// Whether progress is printed as lines. If not, the live reporter draws it.
    pub progress_lines: bool,
    /// Suggestions for the user after a successful run, besides those of the run itself.
    pub hints: Vec<Hint>,
}

/// A command and its purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The command.
    pub command: Command,
    /// The command's purpose, in a few words.
    pub does: String,
}

/// The amount of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// Only warnings, failures and the end.
    Quiet,
    /// The normal output.
    #[default]
    Normal,
    /// Also debug lines.
    Verbose,
    /// Also every call that passes the gate.
    Trace,
}
