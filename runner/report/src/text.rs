//! The words and their look, shared by the plain and the live reporter.

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

/// How the text is to look.
#[derive(Debug, Clone, Default)]
pub struct TextOptions {
    /// Whether colours may be used.
    pub color: bool,
    /// How much is said.
    pub verbosity: Verbosity,
    /// Whether progress is told in lines; else something else draws it.
    pub progress_lines: bool,
    /// What a user may try after a run that succeeded, beside what the run itself suggests.
    pub hints: Vec<Hint>,
}

/// A command and what it is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The command.
    pub command: Command,
    /// What it does, in a few words.
    pub does: String,
}

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// Only warnings, failures and the end.
    Quiet,
    /// What goes on.
    #[default]
    Normal,
    /// Debug lines too.
    Verbose,
    /// And every call that passes the gate.
    Trace,
}
