//! What people and programs see of a run: one module a reporter.
//!
//! A reporter reads [`Envelope`]s and writes; it must not know how a run is executed or stored,
//! and nothing that it does changes the run.

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

/// Shows a run. Its own trouble (a closed pipe) never reaches the run: it goes silent.
pub trait Reporter: Send {
    /// Shows one event. Events come in the order of `seq`.
    fn event(&mut self, envelope: &Envelope);

    /// Called once, after the last event: what is still drawn is finished or taken away.
    fn finish(&mut self) {}
}
