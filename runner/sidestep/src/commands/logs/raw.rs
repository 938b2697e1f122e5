//! Prints the raw bytes of one container's log.

use std::io::{self, IsTerminal as _};

use sidestep_events::{Class, Envelope, Event, Failure, Owner, codes, commands, show};
use sidestep_launch::Error;
use sidestep_state::{History, RunFolder};

use super::selection::{Selection, container_of};
use crate::cli::Raw;
use crate::output::{note, try_bytes};

/// Prints the raw bytes of one container.
pub(super) struct RawLog {
    /// The container, `NAMESPACE/POD/NAME`, once it is known.
    container: Option<String>,
    /// Whether a note about other containers was printed.
    said: bool,
}

impl RawLog {
    /// Finds the one container that the selection matches.
    ///
    /// # Errors Several containers match, or standard output is a terminal.
    pub(super) fn new(run: &RunFolder, selection: &Selection<'_>, raw: Raw) -> Result<Self, Error> {
        if is_refused(raw, io::stdout().is_terminal()) {
            return Err(Error::usage(
                "raw log bytes can change how a terminal behaves, so they are not written to one",
                "Write them to a file or a program; `--raw=force` writes them to the terminal.",
            ));
        }
        let containers = containers(&run.account()?.history, selection);
        if containers.len() > 1 {
            let message = format!("run {} has logs of several containers", run.id());
            // A failure, because its commands each stay on one line, whatever their length.
            let several = Failure::new(
                Class::InvalidInput,
                codes::command::WRONG,
                Owner::Operator,
                message,
            )
            .with_help("Name one of them:");
            let id = run.id();
            let several = containers.iter().fold(several, |several, container| {
                several.with_helps(commands::raw_log(id.as_str(), container))
            });
            return Err(several.into());
        }
        Ok(Self {
            container: containers.into_iter().next(),
            said: false,
        })
    }

    pub(super) fn write(&mut self, envelope: &Envelope) -> io::Result<()> {
        let Event::Log(line) = &envelope.event else {
            return Ok(());
        };
        let Some(container) = container_of(line) else {
            return Ok(());
        };
        if *self.container.get_or_insert_with(|| container.clone()) == container {
            return try_bytes(&[line.message.bytes(), line.end.bytes()].concat());
        }
        if !std::mem::replace(&mut self.said, true) {
            note(&format!(
                "(the log of {} is left out: `--container` selects another one)",
                show::line(&container)
            ));
        }
        Ok(())
    }
}

/// Returns whether the bytes must not be written to standard output.
fn is_refused(raw: Raw, is_terminal: bool) -> bool {
    match raw {
        Raw::Away => is_terminal,
        Raw::Force => false,
    }
}

/// Returns the containers with logs in the run, sorted by name.
fn containers(history: &History, selection: &Selection<'_>) -> Vec<String> {
    let steps = history.started.iter().flat_map(|started| &started.steps);
    let steps: Vec<_> = steps
        .filter(|step| selection.is_of_step([Some(&step.id), Some(&step.instance)]))
        .map(|step| step.instance.exact())
        .collect();
    let instances = history.instances.iter();
    let attempts = instances
        .filter(|(instance, _)| steps.contains(&instance.as_str()))
        .flat_map(|(_, instance)| &instance.attempts);
    let pods = attempts.flat_map(|attempt| &attempt.positions);
    pods.flat_map(|(pod, containers)| containers.keys().map(move |name| format!("{pod}/{name}")))
        .filter(|container| selection.is_of_container(container))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_raw_bytes_only_by_force() {
        assert!(is_refused(Raw::Away, true));
        assert!(!is_refused(Raw::Away, false));
        assert!(!is_refused(Raw::Force, true));
    }
}
