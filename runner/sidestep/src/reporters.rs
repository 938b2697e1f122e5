//! Picks and runs the reporter of a run.

use std::thread::JoinHandle;

use sidestep_engine::Reports;
use sidestep_report::{Hint, JsonLines, Lines, Live, Reporter, TextOptions, Verbosity};
use sidestep_state::StateError;

use crate::cli::{Format, Global};
use crate::output::{self, Look, Stdout};

/// Returns the reporter for the flags, the terminal and the environment.
pub(crate) fn pick(
    format: Format,
    global: &Global,
    look: Look,
    hints: Vec<Hint>,
) -> Box<dyn Reporter> {
    let options = TextOptions {
        color: look.color,
        verbosity: verbosity(global),
        progress_lines: false,
        hints,
    };
    match format {
        Format::Json => Box::new(JsonLines::new(Stdout)),
        Format::Human if look.live && !global.quiet => {
            let live = Live::stdout(options);
            output::share(live.screen());
            Box::new(live)
        }
        Format::Human => Box::new(Lines::new(Stdout, options)),
    }
}

/// Returns the verbosity that the flags set.
pub(crate) fn verbosity(global: &Global) -> Verbosity {
    match (global.quiet, global.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, 0) => Verbosity::Normal,
        (false, 1) => Verbosity::Verbose,
        (false, _) => Verbosity::Trace,
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
