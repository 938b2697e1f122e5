use std::time::Duration;

use sidestep_events::{Envelope, Event, Exit};
use sidestep_report::plain_text;
use sidestep_state::RunFolder;

use crate::cli::Logs;
use crate::commands::Session;
use crate::error::CommandError;
use crate::output::line;

/// How often a run that goes on is looked at.
const POLL: Duration = Duration::from_millis(200);

pub(crate) fn run(session: &Session, args: &Logs) -> Result<Exit, CommandError> {
    let run = session.open_run(&args.run)?;
    let mut seen = 0;
    let mut known = args.step.is_none();
    loop {
        // Asked before reading: what was written up to its end is then read.
        let goes_on = args.follow && run.summary()?.writer.is_some();
        for envelope in run
            .events()?
            .filter(|envelope| envelope.seq > seen)
            .collect::<Vec<_>>()
        {
            seen = envelope.seq;
            known |= names(&envelope, args.step.as_deref());
            if wanted(&envelope, args.step.as_deref()) {
                show(&envelope, args.step.is_none());
            }
        }
        if !goes_on {
            break;
        }
        std::thread::sleep(POLL);
    }
    if known {
        Ok(Exit::Success)
    } else {
        Err(unknown(&run, args.step.as_deref().unwrap_or_default())?)
    }
}

fn wanted(envelope: &Envelope, step: Option<&str>) -> bool {
    matches!(envelope.event, Event::Log(_))
        && step.is_none_or(|step| {
            envelope.step.as_deref() == Some(step) || envelope.instance.as_deref() == Some(step)
        })
}

/// Whether the event says that the run has such a step.
fn names(envelope: &Envelope, step: Option<&str>) -> bool {
    match (&envelope.event, step) {
        (Event::RunStarted(started), Some(step)) => started
            .steps
            .iter()
            .any(|planned| planned.id == step || planned.instance == step),
        _ => step.is_some() && (envelope.step.as_deref() == step),
    }
}

fn show(envelope: &Envelope, prefixed: bool) {
    let Event::Log(log) = &envelope.event else {
        return;
    };
    let text = plain_text(&log.message);
    match &envelope.instance {
        Some(instance) if prefixed => line(&format!("{} │ {text}", plain_text(instance))),
        // At a line's beginning this would be a command to the CI system that shows it.
        _ if text.trim_start().starts_with("::") => line(&format!("│ {text}")),
        _ => line(&text),
    }
}

fn unknown(run: &RunFolder, step: &str) -> Result<CommandError, CommandError> {
    let mut steps = Vec::new();
    for envelope in run.events()? {
        if let Event::RunStarted(started) = envelope.event {
            steps = started
                .steps
                .into_iter()
                .map(|step| step.instance)
                .collect();
        }
    }
    Ok(CommandError::usage(
        format!("run {} has no step {step}", run.id()),
        format!("its steps are {}", steps.join(", ")),
    ))
}
