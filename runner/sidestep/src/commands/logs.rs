//! Prints a run's logs, as text for people or as raw bytes.

mod raw;
mod selection;

use std::io;
use std::time::Duration;

use sidestep_events::{
    Class, Envelope, Event, Exit, Failure, Foreign, Owner, WarningRaised, codes, show,
};
use sidestep_launch::Error;
use sidestep_report::JoinedLines;
use sidestep_state::{RunFolder, StateError, Told, Writer};

use crate::cli::Logs;
use crate::output::{note, try_line};
use crate::session::Session;
use raw::RawLog;
use selection::Selection;

/// The interval at which a run in progress is polled.
const POLL: Duration = Duration::from_millis(200);

/// The format in which lines are printed.
enum Printer {
    /// As text for people.
    Text(JoinedLines),
    /// As raw bytes.
    Raw(RawLog),
}

pub(crate) fn run(session: &Session, args: &Logs) -> Result<Exit, Error> {
    let run = session.site.open_run(&args.run)?;
    let selection = Selection::of(args);
    let step = selection.step;
    let mut printer = match args.raw {
        None => Printer::Text(JoinedLines::default()),
        Some(raw) => Printer::Raw(RawLog::new(&run, &selection, raw)?),
    };
    let mut events = run.events()?;
    let mut known = step.is_none();
    let mut damaged = false;
    loop {
        // Check before reading, so that everything written before the end is read.
        let goes_on = args.follow && matches!(run.writer(), Writer::Alive(_));
        while let Some(told) = events.next_told()? {
            let envelope = match told {
                Told::Event(envelope) => envelope,
                Told::Textless(envelope) if args.raw.is_some() && selection.wants(&envelope) => {
                    return Err(lost(&envelope));
                }
                Told::Textless(envelope) => envelope,
                Told::Damage(place) => {
                    damaged = true;
                    note(&format!(
                        "(here {} bytes of the run's journal can't be read: lines may be missing)",
                        place.to - place.from
                    ));
                    continue;
                }
            };
            known |= names(&envelope, step);
            if selection.wants(&envelope) && printer.take(&envelope, step.is_none()).is_err() {
                // A reader that closes the pipe (`| head`) is not an error. Any other error is
                // reported at the end of the command.
                return Ok(Exit::Success);
            }
        }
        if !goes_on {
            break;
        }
        std::thread::sleep(POLL);
    }
    if printer.finish(step.is_none()).is_err() {
        return Ok(Exit::Success);
    }
    match run.damaged()? {
        // The output is incomplete, which a script must be able to detect.
        Some(journal) if damaged => Err(StateError::Damaged(Box::new(journal)).into()),
        _ if known => Ok(Exit::Success),
        _ => Err(unknown(&run, step.unwrap_or_default())?),
    }
}

impl Printer {
    fn take(&mut self, envelope: &Envelope, prefixed: bool) -> io::Result<()> {
        match self {
            Self::Text(lines) => {
                let shown = lines.take(envelope);
                shown.iter().try_for_each(|line| print(line, prefixed))
            }
            Self::Raw(raw) => raw.write(envelope),
        }
    }

    fn finish(&mut self, prefixed: bool) -> io::Result<()> {
        match self {
            Self::Text(lines) => lines
                .rest()
                .iter()
                .try_for_each(|line| print(line, prefixed)),
            Self::Raw(_) => Ok(()),
        }
    }
}

/// Returns whether the event shows that the run has this step.
fn names(envelope: &Envelope, step: Option<&str>) -> bool {
    match (&envelope.event, step) {
        (Event::RunStarted(started), Some(step)) => started
            .steps
            .iter()
            .any(|planned| planned.id == step || planned.instance == step),
        _ => step.is_some() && (envelope.step.as_ref().map(Foreign::exact) == step),
    }
}

/// Returns whether a warning is about lines that the log lacks.
fn is_of_log(warning: &WarningRaised) -> bool {
    let of_log = [codes::pod::LOG_GAP, codes::pod::LOG_CUT_OFF];
    of_log.iter().any(|code| warning.code == *code)
}

fn print(envelope: &Envelope, prefixed: bool) -> io::Result<()> {
    let instance = envelope.instance.as_ref().filter(|_| prefixed);
    let instance = instance.map(|name| format!("{} │ ", show::line(name)));
    let before = instance.unwrap_or_default();
    let log = match &envelope.event {
        Event::Log(log) => log,
        Event::Warning(warning) if is_of_log(warning) => {
            let message = show::line(&warning.message);
            return try_line(&format!("{before}! {message}"));
        }
        _ => return Ok(()),
    };
    let lines = log.message.lines();
    lines
        .iter()
        .try_for_each(|line| try_line(&format!("{before}{}", show::log_line(line))))
}

/// Returns the error for missing bytes of a raw log, which must not be replaced by other text.
fn lost(envelope: &Envelope) -> Error {
    let why = match &envelope.event {
        Event::Log(line) => line.message.text(),
        _ => Foreign::default(),
    };
    Failure::new(
        Class::Failed,
        codes::state::DAMAGED,
        Owner::Operator,
        why.rewrite(|why| format!("a part of the log is lost {why}")),
    )
    .with_help("The output ends before that part. Without `--raw`, the rest is shown too.")
    .into()
}

fn unknown(run: &RunFolder, step: &str) -> Result<Error, Error> {
    let started = run.account()?.history.started;
    let steps = started.into_iter().flat_map(|started| started.steps);
    let steps: Vec<_> = steps.map(|step| step.instance.into_exact()).collect();
    Ok(Error::usage(
        format!("run {} has no step {step}", run.id()),
        format!("its steps are {}", steps.join(", ")),
    ))
}
