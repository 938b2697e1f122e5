//! Shows a run while it runs, and ends it on a signal.

use std::num::NonZero;
use std::time::Duration;

use sidestep_engine::{Ceilings, Stop, StopReason};
use sidestep_events::{Exit, Failure, commands, show};
use sidestep_launch::{Error, Launch, LockedRun, RunLimits};
use sidestep_report::Hint;

use crate::cli::RunFlags;
use crate::reporters::RunFormat;
use crate::session::Session;
use crate::settings::known;
use crate::signals::Signals;
use crate::{output, reporters};

/// The maximum time to keep showing the output of a run that a signal has stopped.
const SHOWING: Duration = Duration::from_secs(5);

/// The options for showing a run.
pub(crate) struct Shown {
    pub(crate) format: RunFormat,
    pub(crate) hints: Vec<Hint>,
}

/// Returns the limits of a run, from the settings and the flags.
pub(crate) fn limits(session: &Session, flags: &RunFlags) -> RunLimits {
    let settings = &session.settings;
    let max_parallel = settings.flag(
        &known::MAX_PARALLEL,
        &settings.max_parallel,
        flags.max_parallel.map(NonZero::get),
    );
    RunLimits {
        max_parallel: max_parallel.value,
        ceilings: Ceilings {
            journal: settings.journal_limit.value.0,
            logs: settings.log_limit.value.0,
        },
    }
}

/// Runs the launch to its end, shows it, and returns the exit code.
pub(crate) async fn launch(
    session: &Session,
    launch: Launch,
    run: LockedRun,
    flags: &RunFlags,
    shown: Shown,
) -> Result<Exit, Error> {
    let settings = &session.settings;
    let on_terminate = settings.flag(
        &known::ON_TERMINATE,
        &settings.on_terminate,
        flags.on_terminate,
    );
    let ready = launch.ready(&session.site, run).await?;
    let stop = Stop::new();
    let signals = Signals::watch(stop.clone(), on_terminate.value, session.inherited)
        .map_err(|error| Failure::bug(format!("signals can't be watched: {error}")))?;
    let run_id = ready.id().to_string();
    let (run, reports) = ready.open(&session.site, stop.clone())?;
    let reporter = reporters::pick(
        shown.format,
        session.global.verbosity(),
        session.look(),
        shown.hints,
    );
    let reporting = reporters::spawn(reports, reporter);
    let end = run.run().await;
    // Show the last lines before the process ends, if the output is being read.
    tokio::select! {
        shown = tokio::task::spawn_blocking(move || reporting.join()) => match shown {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(error))) => {
                output::note(&format!("the end of the output could not be shown: {error}"));
            }
            Ok(Err(_)) | Err(_) => {
                output::note("the rest of the output was lost; `sidestep logs` prints the log");
            }
        },
        exit = signals.next_after_the_end() => {
            not_all_shown(&run_id);
            return Ok(exit);
        }
        // After a signal, a blocked output must not make the user signal again.
        () = tokio::time::sleep(SHOWING), if matches!(stop.reason(), Some(StopReason::Asked { .. })) => {
            not_all_shown(&run_id);
        }
    }
    Ok(end.exit)
}

fn not_all_shown(run: &str) {
    output::note_shortly(&format!(
        "The run has ended, but not all of its output was shown: {}, {}",
        show::command_or_nothing(commands::show_run(run).as_ref()),
        show::command_or_nothing(commands::logs(run, None).as_ref())
    ));
}
