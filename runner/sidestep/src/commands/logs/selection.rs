//! Selects the lines of a run.

use sidestep_events::{Envelope, Event, Foreign, LogLine, LogSource, log_field};

use crate::cli::Logs;

/// The user's selection; an empty one matches everything.
pub(super) struct Selection<'a> {
    /// A step, or an instance of it.
    pub(super) step: Option<&'a str>,
    /// A container: its name, or `NAMESPACE/POD/NAME`.
    container: Option<&'a str>,
}

impl<'a> Selection<'a> {
    pub(super) fn of(args: &'a Logs) -> Self {
        Self {
            step: args.step.as_deref(),
            container: args.container.as_deref(),
        }
    }

    /// Returns whether the event is a selected line, or ends one.
    pub(super) fn wants(&self, envelope: &Envelope) -> bool {
        let container = match &envelope.event {
            Event::Log(line) => match (self.container, container_of(line)) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(_), Some(container)) => self.is_of_container(&container),
            },
            _ => true,
        };
        container && self.is_of_step([envelope.step.as_ref(), envelope.instance.as_ref()])
    }

    /// Returns whether a step or its instance, by their names, is selected.
    pub(super) fn is_of_step(&self, names: [Option<&Foreign>; 2]) -> bool {
        self.step
            .is_none_or(|step| names.into_iter().flatten().any(|name| *name == step))
    }

    /// Returns whether a container, as `NAMESPACE/POD/NAME`, is selected.
    pub(super) fn is_of_container(&self, container: &str) -> bool {
        self.container.is_none_or(|wanted| {
            container == wanted || container.rsplit('/').next() == Some(wanted)
        })
    }
}

/// Returns the container that wrote a line, as `NAMESPACE/POD/NAME`.
pub(super) fn container_of(line: &LogLine) -> Option<String> {
    let name = |name| line.field(name)?.as_str();
    match line.source {
        LogSource::Pod => Some(format!(
            "{}/{}",
            name(log_field::POD)?,
            name(log_field::CONTAINER)?
        )),
        _ => None,
    }
}
