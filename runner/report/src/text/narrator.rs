//! Turns events into lines of text.

mod course;
mod remarks;

use std::collections::BTreeMap;

use sidestep_events::{Envelope, Event, Foreign, Help, Speaker, show};

use super::failure::help_lines;
use super::joined::JoinedLines;
use super::paint::Paint;
use super::summary::Summary;
use super::{TextOptions, Verbosity};

/// The maximum width of the column of names; longer names extend past it.
const MAX_COLUMN: usize = 28;

/// Turns events into lines. It remembers what the summary at the end needs.
#[derive(Debug)]
pub struct Narrator {
    options: TextOptions,
    paint: Paint,
    width: usize,
    summary: Summary,
    progress: BTreeMap<Foreign, (Foreign, u64)>,
    long_lines: JoinedLines,
}

/// Returns the width of the column of names.
pub(crate) fn column<'a>(names: impl Iterator<Item = &'a Foreign>) -> usize {
    names
        .map(|name| show::line(name).chars().count())
        .filter(|width| *width <= MAX_COLUMN)
        .max()
        .unwrap_or(8)
        .max(4)
}

impl Narrator {
    /// Creates a narrator that has seen no events.
    pub fn new(options: TextOptions) -> Self {
        let paint = Paint {
            color: options.color,
        };
        Self {
            options,
            paint,
            width: 8,
            summary: Summary::default(),
            progress: BTreeMap::new(),
            long_lines: JoinedLines::default(),
        }
    }

    /// Returns the lines for the event; often none.
    pub fn tell(&mut self, envelope: &Envelope) -> Vec<String> {
        let now = self.long_lines.take(envelope);
        now.iter()
            .flat_map(|event| self.tell_whole(event))
            .collect()
    }

    /// Returns the incomplete lines. Call it after the last event.
    pub fn rest(&mut self) -> Vec<String> {
        let rest = self.long_lines.rest();
        rest.iter()
            .flat_map(|event| self.tell_whole(event))
            .collect()
    }

    fn tell_whole(&mut self, envelope: &Envelope) -> Vec<String> {
        self.summary.see(envelope);
        let run = Foreign::from("run");
        let instance = envelope.instance.as_ref().unwrap_or(&run);
        match &envelope.event {
            Event::RunStarted(started) => self.run_started(&envelope.run, started),
            Event::StepFinished(finished) => self.step_finished(instance, finished),
            Event::StepSkipped(skipped) => self.step_skipped(instance, skipped),
            Event::RunFinished(finished) => {
                self.summary
                    .lines(&envelope.run, finished, &self.options, self.paint)
            }
            Event::CleanedUp(cleaned) => self.cleaned_up(instance, cleaned),
            Event::Warning(warning) => self.warning(instance, warning),
            Event::Annotation(found) => self.annotation(instance, found),
            Event::Log(line) => self.log(instance, line),
            _ if self.is_quiet() => Vec::new(),
            Event::StepWaiting(waiting) => {
                let text = format!("waiting: {}", show::line(&waiting.reason));
                vec![self.row(instance, "·", &self.paint.dim(&text))]
            }
            Event::AttemptStarted(started) => {
                let attempt = envelope.attempt.unwrap_or(1);
                self.attempt_started(instance, attempt, started.resumed)
            }
            Event::AttemptFinished(finished) => match &finished.failure {
                // The last attempt's failure is shown at the end of the step.
                Some(failure) => {
                    self.summary.last_failure(instance, failure);
                    Vec::new()
                }
                None => Vec::new(),
            },
            Event::RetryScheduled(retry) => self.retry(instance, retry),
            Event::GroupStarted { title } => {
                let title = self.paint.bold(&show::line(title));
                vec![self.row(instance, "┌", &title)]
            }
            Event::Progress(progress) if self.options.progress_lines => {
                self.progress(instance, progress)
            }
            Event::HostCall(call) if self.options.verbosity == Verbosity::Trace => {
                self.host_call(instance, call)
            }
            _ => Vec::new(),
        }
    }

    fn is_quiet(&self) -> bool {
        self.options.verbosity == Verbosity::Quiet
    }

    /// Returns the instance's name, padded to the column's width.
    pub(crate) fn padded(&self, instance: &Foreign) -> String {
        format!("{:<width$}", show::line(instance), width = self.width)
    }

    fn row(&self, instance: &Foreign, sign: &str, text: &str) -> String {
        let name = self.padded(instance);
        format!("  {}  {sign} {text}", self.paint.dim(&name))
            .trim_end()
            .to_owned()
    }

    fn with_help(
        &self,
        instance: &Foreign,
        first: String,
        by: Speaker,
        help: &[Help],
    ) -> Vec<String> {
        let lines = help_lines(self.paint, by, help);
        let rows = lines
            .iter()
            .map(|line| self.row(instance, " ", line.text()));
        std::iter::once(first).chain(rows).collect()
    }

    fn milestone(&self, instance: &Foreign, sign: &str, text: &str) -> String {
        if text.is_empty() {
            return format!("{sign} {}", self.paint.bold(&show::line(instance)));
        }
        let name = self.padded(instance);
        format!("{sign} {}  {text}", self.paint.bold(&name))
    }
}
