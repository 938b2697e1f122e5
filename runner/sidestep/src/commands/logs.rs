use std::time::Duration;

use sidestep_events::{Envelope, Event, Exit, Foreign, show};
use sidestep_state::{RunFolder, StateError, Told, Writer};

use crate::cli::Logs;
use crate::commands::Session;
use crate::error::CommandError;
use crate::output::{note, try_line};

/// How often a run that goes on is looked at.
const POLL: Duration = Duration::from_millis(200);

pub(crate) fn run(session: &Session, args: &Logs) -> Result<Exit, CommandError> {
    let run = session.open_run(&args.run)?;
    let step = args.step.as_deref();
    let mut events = run.events()?;
    let mut known = step.is_none();
    let mut damaged = false;
    loop {
        // Asked before reading: what was written up to its end is then read.
        let goes_on = args.follow && matches!(run.writer(), Writer::Alive(_));
        while let Some(told) = events.next_told()? {
            match told {
                Told::Event(envelope) => {
                    known |= names(&envelope, step);
                    if wanted(&envelope, step) && show(&envelope, step.is_none()).is_err() {
                        // A reader that has enough (`| head`) is no error; any other end is found at
                        // the command's own.
                        return Ok(Exit::Success);
                    }
                }
                Told::Damage(place) => {
                    damaged = true;
                    note(&format!(
                        "(here {} bytes of the run's journal can't be read: lines may be missing)",
                        place.to - place.from
                    ));
                }
            }
        }
        if !goes_on {
            break;
        }
        std::thread::sleep(POLL);
    }
    match run.damaged()? {
        // What was shown is not all of it, which a script must not overlook.
        Some(journal) if damaged => Err(StateError::Damaged(Box::new(journal)).into()),
        _ if known => Ok(Exit::Success),
        _ => Err(unknown(&run, step.unwrap_or_default())?),
    }
}

fn wanted(envelope: &Envelope, step: Option<&str>) -> bool {
    matches!(envelope.event, Event::Log(_))
        && step.is_none_or(|step| {
            [&envelope.step, &envelope.instance]
                .into_iter()
                .flatten()
                .any(|name| *name == step)
        })
}

/// Whether the event says that the run has such a step.
fn names(envelope: &Envelope, step: Option<&str>) -> bool {
    match (&envelope.event, step) {
        (Event::RunStarted(started), Some(step)) => started
            .steps
            .iter()
            .any(|planned| planned.id == step || planned.instance == step),
        _ => step.is_some() && (envelope.step.as_ref().map(Foreign::exact) == step),
    }
}

fn show(envelope: &Envelope, prefixed: bool) -> std::io::Result<()> {
    let Event::Log(log) = &envelope.event else {
        return Ok(());
    };
    let instance = envelope.instance.as_ref().filter(|_| prefixed);
    let instance = instance.map(|name| format!("{} │ ", show::line(name)));
    let before = instance.unwrap_or_default();
    let mut lines: Vec<_> = log.message.lines().collect();
    if lines.is_empty() {
        lines.push(Foreign::default());
    }
    for line in lines {
        try_line(&format!("{before}{}", show::log_line(&line)))?;
    }
    Ok(())
}

fn unknown(run: &RunFolder, step: &str) -> Result<CommandError, CommandError> {
    let started = run.account()?.history.started;
    let steps = started.into_iter().flat_map(|started| started.steps);
    let steps: Vec<_> = steps.map(|step| step.instance.into_exact()).collect();
    Ok(CommandError::usage(
        format!("run {} has no step {step}", run.id()),
        format!("its steps are {}", steps.join(", ")),
    ))
}
