use std::collections::BTreeMap;

use sidestep_events::{
    CleanedUp, Diagnostic, Envelope, Event, HostCall, LogLevel, LogLine, LogSource, Progress,
    RunStarted, Severity, Status, StepFinished, StepSkipped, WarningRaised,
};

use super::failure::help_line;
use super::paint::Paint;
use super::summary::Summary;
use super::{TextOptions, Verbosity, plain_text, progress_text, render_failure, render_plan};
use crate::duration;

/// Instances with longer names stand out of the column.
const MAX_COLUMN: usize = 28;

/// Turns events into lines. It remembers what the end of the run needs to say.
#[derive(Debug)]
pub struct Narrator {
    options: TextOptions,
    paint: Paint,
    width: usize,
    summary: Summary,
    progress: BTreeMap<String, (String, u64)>,
}

/// The width of the column that the names stand in.
pub(crate) fn column<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names
        .map(|name| name.chars().count())
        .filter(|width| *width <= MAX_COLUMN)
        .max()
        .unwrap_or(8)
        .max(4)
}

impl Narrator {
    /// A narrator that has seen nothing yet.
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
        }
    }

    /// The lines that the event is worth; often none.
    pub fn tell(&mut self, envelope: &Envelope) -> Vec<String> {
        self.summary.see(envelope);
        let instance = envelope.instance.as_deref().unwrap_or("run");
        let quiet = self.options.verbosity == Verbosity::Quiet;
        match &envelope.event {
            Event::RunStarted(started) => self.run_started(&envelope.run, started, quiet),
            Event::StepFinished(finished) => self.step_finished(instance, finished, quiet),
            Event::StepSkipped(skipped) => self.step_skipped(instance, skipped, quiet),
            Event::RunFinished(finished) => {
                self.summary
                    .lines(&envelope.run, finished, &self.options, self.paint)
            }
            Event::CleanedUp(cleaned) => self.cleaned_up(instance, cleaned, quiet),
            Event::Warning(warning) => self.warning(instance, warning),
            Event::Annotation(found) => self.annotation(instance, found, quiet),
            Event::Log(line) => self.log(instance, line),
            _ if quiet => Vec::new(),
            Event::StepWaiting(waiting) => {
                let text = format!("waiting: {}", plain_text(&waiting.reason));
                vec![self.row(instance, "·", &self.paint.dim(&text))]
            }
            Event::AttemptStarted(started) => {
                let attempt = envelope.attempt.unwrap_or(1);
                self.attempt_started(instance, attempt, started.resumed)
            }
            Event::AttemptFinished(finished) => match &finished.failure {
                // The last attempt's failure is told with the step's end.
                Some(failure) => {
                    self.summary.last_failure(instance, failure);
                    Vec::new()
                }
                None => Vec::new(),
            },
            Event::RetryScheduled(retry) => self.retry(instance, retry),
            Event::GroupStarted { title } => {
                let title = self.paint.bold(&plain_text(title));
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

    /// The instance's name, filled up to the column's width.
    pub(crate) fn padded(&self, instance: &str) -> String {
        format!("{:<width$}", plain_text(instance), width = self.width)
    }

    fn row(&self, instance: &str, sign: &str, text: &str) -> String {
        let name = self.padded(instance);
        format!("  {}  {sign} {text}", self.paint.dim(&name))
            .trim_end()
            .to_owned()
    }

    fn milestone(&self, instance: &str, sign: &str, text: &str) -> String {
        if text.is_empty() {
            return format!("{sign} {}", self.paint.bold(&plain_text(instance)));
        }
        let name = self.padded(instance);
        format!("{sign} {}  {text}", self.paint.bold(&name))
    }

    fn run_started(&mut self, run: &str, started: &RunStarted, quiet: bool) -> Vec<String> {
        self.width = column(started.steps.iter().map(|step| step.instance.as_str()));
        if quiet {
            return Vec::new();
        }
        let mut title = format!(
            "{} {} · run {run}",
            self.paint.bold("sidestep"),
            self.paint.bold(&plain_text(&started.pipeline)),
        );
        if let Some(scenario) = &started.sandbox {
            title.push_str(" · sandbox ");
            title.push_str(&plain_text(scenario));
        }
        if started.resumed {
            title.push_str(" · going on");
            return vec![title, String::new()];
        }
        let mut lines = vec![title, String::new()];
        lines.push(self.paint.dim("What each step may touch"));
        lines.extend(render_plan(&started.steps, self.paint.color));
        lines.push(String::new());
        lines
    }

    fn attempt_started(&self, instance: &str, attempt: u32, resumed: bool) -> Vec<String> {
        let mut notes = Vec::new();
        if attempt > 1 {
            notes.push(format!("attempt {attempt}"));
        }
        if resumed {
            notes.push("taking up where it was lost".to_owned());
        }
        let sign = self.paint.accent("▸");
        vec![self.milestone(instance, &sign, &self.paint.dim(&notes.join(", ")))]
    }

    fn step_finished(&self, instance: &str, end: &StepFinished, quiet: bool) -> Vec<String> {
        let took = duration(end.duration_ms);
        if end.status.has_outputs() {
            if quiet {
                return Vec::new();
            }
            let text = match end.status {
                Status::Cached => "unchanged, taken from an earlier run".to_owned(),
                _ => self.paint.dim(&took),
            };
            return vec![self.milestone(instance, &self.paint.good("✓"), &text)];
        }
        let (sign, word) = match end.status {
            Status::Skipped => return Vec::new(),
            Status::Cancelled => (self.paint.warn("■"), "cancelled"),
            Status::TimedOut => (self.paint.bad("✗"), "timed out"),
            _ => (self.paint.bad("✗"), "failed"),
        };
        let head = format!("{word} {}", self.paint.dim(&format!("after {took}")));
        let mut lines = vec![self.milestone(instance, &sign, &head)];
        // That a step was stopped on purpose needs no explanation.
        if let Some(failure) = &end.failure
            && end.status != Status::Cancelled
        {
            lines.extend(render_failure(failure, self.paint.color));
        }
        lines
    }

    fn step_skipped(&self, instance: &str, skipped: &StepSkipped, quiet: bool) -> Vec<String> {
        if quiet {
            return Vec::new();
        }
        let text = if skipped.because_of_failure {
            "skipped: what it needs did not succeed".to_owned()
        } else {
            let values: Vec<_> = skipped
                .values
                .iter()
                .map(|(name, value)| format!("{name} = {value}"))
                .collect();
            let mut text = format!("skipped: {} is false", plain_text(&skipped.condition));
            if !values.is_empty() {
                text.push_str(&format!(" ({})", plain_text(&values.join(", "))));
            }
            text
        };
        vec![self.milestone(instance, &self.paint.dim("○"), &self.paint.dim(&text))]
    }

    fn retry(&self, instance: &str, retry: &sidestep_events::RetryScheduled) -> Vec<String> {
        let mut lines = Vec::new();
        let wait = duration(retry.after_ms);
        let text = format!(
            "trying again in {wait} ({} may pass)",
            plain_text(&retry.because)
        );
        if let Some(failure) = self.summary.failure_of(instance) {
            lines.push(self.row(
                instance,
                &self.paint.warn("!"),
                &plain_text(&failure.to_string()),
            ));
        }
        lines.push(self.milestone(instance, &self.paint.warn("↻"), &text));
        lines
    }

    fn log(&self, instance: &str, line: &LogLine) -> Vec<String> {
        let least = match self.options.verbosity {
            Verbosity::Quiet => LogLevel::Error,
            Verbosity::Normal => LogLevel::Info,
            Verbosity::Verbose | Verbosity::Trace => LogLevel::Debug,
        };
        if line.level < least {
            return Vec::new();
        }
        let mut text = plain_text(&line.message);
        if !line.fields.is_empty() && self.options.verbosity >= Verbosity::Verbose {
            let fields: Vec<_> = line
                .fields
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            text.push_str("  ");
            text.push_str(&self.paint.dim(&plain_text(&fields.join(" "))));
        }
        let sign = match (line.source, line.level) {
            (LogSource::Pod, _) => self.paint.dim("│"),
            (_, LogLevel::Error) => self.paint.bad("✗"),
            (_, LogLevel::Warn) => self.paint.warn("!"),
            (_, LogLevel::Debug) => self.paint.dim("·"),
            (_, LogLevel::Info) => " ".to_owned(),
        };
        vec![self.row(instance, &sign, &text)]
    }

    /// A line when something else is under way, and one each ten per cent: a CI log is read, not
    /// watched.
    fn progress(&mut self, instance: &str, progress: &Progress) -> Vec<String> {
        let tenth = progress
            .total
            .filter(|total| *total > 0)
            .map_or(0, |total| progress.done.saturating_mul(10) / total);
        let now = (progress.label.clone(), tenth);
        if self.progress.get(instance) == Some(&now) {
            return Vec::new();
        }
        self.progress.insert(instance.to_owned(), now);
        let text = self.paint.dim(&progress_text(progress));
        vec![self.row(instance, &self.paint.dim("…"), &text)]
    }

    fn warning(&self, instance: &str, warning: &WarningRaised) -> Vec<String> {
        let text = format!(
            "{} {}",
            plain_text(&warning.message),
            self.paint.dim(&format!("({})", plain_text(&warning.code)))
        );
        let mut lines = vec![self.row(instance, &self.paint.warn("!"), &text)];
        for help in warning.help.iter().flat_map(|help| help.lines()) {
            lines.push(self.row(instance, " ", &help_line(self.paint, help)));
        }
        lines
    }

    fn annotation(&self, instance: &str, found: &Diagnostic, quiet: bool) -> Vec<String> {
        let sign = match found.severity {
            Severity::Error => self.paint.bad("✗"),
            Severity::Warning => self.paint.warn("!"),
            Severity::Note => self.paint.dim("·"),
        };
        if quiet && found.severity < Severity::Error {
            return Vec::new();
        }
        let place = match (&found.file, found.at) {
            (Some(file), Some(at)) => format!("{file}:{}:{}: ", at.line, at.column),
            (Some(file), None) => format!("{file}: "),
            _ => String::new(),
        };
        let text = format!(
            "{}{} {}",
            self.paint.bold(&plain_text(&place)),
            plain_text(&found.message),
            self.paint.dim(&format!("({})", plain_text(&found.code)))
        );
        let mut lines = vec![self.row(instance, &sign, &text)];
        for help in found.help.iter().flat_map(|help| help.lines()) {
            lines.push(self.row(instance, " ", &help_line(self.paint, help)));
        }
        lines
    }

    fn cleaned_up(&self, instance: &str, cleaned: &CleanedUp, quiet: bool) -> Vec<String> {
        let what = format!(
            "{} {}",
            plain_text(&cleaned.kind),
            plain_text(&cleaned.name)
        );
        match &cleaned.failure {
            Some(failure) => {
                let text = format!("could not remove {what}");
                let mut lines = vec![self.row(instance, &self.paint.bad("✗"), &text)];
                lines.extend(render_failure(failure, self.paint.color));
                lines
            }
            None if quiet => Vec::new(),
            None => {
                let verb = if cleaned.removed { "removed" } else { "kept" };
                let text = self.paint.dim(&format!("{verb} {what}"));
                vec![self.row(instance, &self.paint.dim("−"), &text)]
            }
        }
    }

    fn host_call(&self, instance: &str, call: &HostCall) -> Vec<String> {
        let answer = match (&call.code, call.allowed) {
            (Some(code), true) => self.paint.warn(code),
            (Some(code), false) => self.paint.bad(code),
            (None, _) => duration(call.duration_us / 1_000),
        };
        let text = format!(
            "{}.{} {}",
            plain_text(&call.capability),
            plain_text(&call.function),
            plain_text(&call.target)
        );
        vec![self.row(
            instance,
            &self.paint.dim("→"),
            &format!("{}  {answer}", self.paint.dim(&text)),
        )]
    }
}
