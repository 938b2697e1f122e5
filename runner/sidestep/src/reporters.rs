//! Who shows a run.

use std::thread::JoinHandle;

use sidestep_engine::Reports;
use sidestep_report::{Hint, JsonLines, Lines, Live, Reporter, TextOptions, Verbosity};
use sidestep_state::StateError;

use crate::cli::{Format, Global};
use crate::output::{self, Look, Stdout};

/// The reporter that the flags, the terminal and the environment ask for.
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

/// How much the flags ask to be said.
pub(crate) fn verbosity(global: &Global) -> Verbosity {
    match (global.quiet, global.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, 0) => Verbosity::Normal,
        (false, 1) => Verbosity::Verbose,
        (false, _) => Verbosity::Trace,
    }
}

/// Shows events on a thread of its own, so that a slow terminal does not hold up the run. It ends
/// with the reports, and answers why some could not be read back, if that happened.
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
