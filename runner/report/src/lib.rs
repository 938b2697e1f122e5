//! Shows runs to people and programs, with one module per reporter.
//!
//! A reporter reads [`Envelope`]s and writes. It must not know how a run is executed or stored, and
//! must not affect the run.

mod json;
mod lines;
mod live;
mod problems;
mod text;

pub use json::JsonLines;
pub use lines::Lines;
pub use live::{Live, Screen};
pub use problems::{Annotation, Problems, SourceText, github, sarif};
pub use text::{
    Hint, JoinedLines, Narrator, TextOptions, Verbosity, bytes, columns, duration, fold,
    fold_after, going, render_failure, render_plan,
};

use sidestep_events::Envelope;

/// Shows a run. Errors of a reporter, such as a closed pipe, do not affect the run: the reporter
/// stops its output.
pub trait Reporter: Send {
    /// Shows one event. Events come in the order of `seq`.
    fn event(&mut self, envelope: &Envelope);

    /// Ends the output after the last event: completes or clears what is still drawn. Called once.
    fn finish(&mut self) {}
}
