//! Picks and runs the reporter of a run.

use std::thread::JoinHandle;

use clap::ValueEnum;
use sidestep_engine::Reports;
use sidestep_report::{Hint, JsonLines, Lines, Live, Reporter, TextOptions, Verbosity};
use sidestep_state::StateError;

use crate::output::{self, Look, Stdout};

/// The reporter of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum RunFormat {
    /// For people.
    #[default]
    Human,
    /// For programs.
    Json,
}

/// Returns the reporter for the flags, the terminal and the environment.
pub(crate) fn pick(
    format: RunFormat,
    verbosity: Verbosity,
    look: Look,
    hints: Vec<Hint>,
) -> Box<dyn Reporter> {
    let options = TextOptions {
        color: look.color,
        verbosity,
        progress_lines: false,
        hints,
    };
    match format {
        RunFormat::Json => Box::new(JsonLines::new(Stdout)),
        RunFormat::Human if look.live && verbosity != Verbosity::Quiet => {
            let live = Live::stdout(options);
            output::share(live.screen());
            Box::new(live)
        }
        RunFormat::Human => Box::new(Lines::new(Stdout, options)),
    }
}

/// Shows events on a separate thread, so that a slow terminal does not slow down the run. The
/// thread ends with the reports, and returns the error if some events could not be read back.
pub(crate) fn spawn(
    mut reports: Reports,
    mut reporter: Box<dyn Reporter>,
) -> JoinHandle<Option<StateError>> {
    std::thread::spawn(move || {
        for envelope in &mut reports {
            reporter.event(&envelope);
        }
        reporter.finish();
        reports.into_trouble()
    })
}
