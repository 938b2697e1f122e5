//! Shows logs, progress, warnings and calls.

use sidestep_events::{
    Class, CleanedUp, Diagnostic, Foreign, HostCall, LogLevel, LogLine, LogSource, Progress,
    Severity, Speaker, WarningRaised, show,
};

use super::super::{Verbosity, going, progress_text, render_failure};
use super::Narrator;
use crate::duration;

impl Narrator {
    pub(super) fn log(&self, instance: &Foreign, line: &LogLine) -> Vec<String> {
        let least = match self.options.verbosity {
            Verbosity::Quiet => LogLevel::Error,
            Verbosity::Normal => LogLevel::Info,
            Verbosity::Verbose | Verbosity::Trace => LogLevel::Debug,
        };
        if line.level < least {
            return Vec::new();
        }
        let texts = line.message.lines();
        let mut texts: Vec<_> = texts.iter().map(show::log_line).collect();
        if !line.fields.is_empty() && self.options.verbosity >= Verbosity::Verbose {
            let fields: Vec<_> = line
                .fields
                .iter()
                .map(|(name, value)| {
                    let value = show::json(value).unwrap_or_default();
                    format!("{}={value}", show::line(name))
                })
                .collect();
            let fields = self.paint.dim(&fields.join(" "));
            let last = texts.pop().unwrap_or_default();
            texts.push(format!("{last}  {fields}"));
        }
        let sign = match (line.source, line.level) {
            (LogSource::Pod, _) => self.paint.dim("│"),
            (_, LogLevel::Error) => self.paint.bad("✗"),
            (_, LogLevel::Warn) => self.paint.warn("!"),
            (_, LogLevel::Debug) => self.paint.dim("·"),
            (_, LogLevel::Info) => " ".to_owned(),
        };
        let rows = texts.iter().map(|text| self.row(instance, &sign, text));
        rows.collect()
    }

    /// Returns a line when the activity changes, and one for each ten per cent. CI logs are read
    /// later, not watched.
    pub(super) fn progress(&mut self, instance: &Foreign, progress: &Progress) -> Vec<String> {
        let tenth = progress
            .total
            .filter(|total| *total > 0)
            .map_or(0, |total| progress.done.saturating_mul(10) / total);
        let now = (progress.label.clone(), tenth);
        if self.progress.get(instance) == Some(&now) {
            return Vec::new();
        }
        self.progress.insert(instance.clone(), now);
        let text = self.paint.dim(&progress_text(progress));
        vec![self.row(instance, &self.paint.dim("…"), &text)]
    }

    pub(super) fn warning(&self, instance: &Foreign, warning: &WarningRaised) -> Vec<String> {
        let text = format!(
            "{} {}",
            show::line(&warning.message),
            self.paint.dim(&format!("({})", show::line(&warning.code)))
        );
        let first = self.row(instance, &self.paint.warn("!"), &text);
        self.with_help(instance, first, Speaker::Runner, &warning.help)
    }

    pub(super) fn annotation(&self, instance: &Foreign, found: &Diagnostic) -> Vec<String> {
        let sign = match found.severity {
            Severity::Error => self.paint.bad("✗"),
            Severity::Warning => self.paint.warn("!"),
            Severity::Note => self.paint.dim("·"),
        };
        if self.is_quiet() && found.severity < Severity::Error {
            return Vec::new();
        }
        let place = match (&found.file, found.at) {
            (Some(file), Some(at)) => format!("{}:{}:{}: ", show::line(file), at.line, at.column),
            (Some(file), None) => format!("{}: ", show::line(file)),
            _ => String::new(),
        };
        let text = format!(
            "{}{} {}",
            self.paint.bold(&place),
            show::line(&found.message),
            self.paint.dim(&format!("({})", show::line(&found.code)))
        );
        let first = self.row(instance, &sign, &text);
        self.with_help(instance, first, Speaker::Plugin, &found.help)
    }

    pub(super) fn cleaned_up(&self, instance: &Foreign, cleaned: &CleanedUp) -> Vec<String> {
        let what = format!(
            "{} {}",
            show::line(&cleaned.kind),
            show::line(&cleaned.name)
        );
        match &cleaned.failure {
            Some(failure) => {
                let text = if failure.class == Class::Denied {
                    format!("not allowed to remove {what}, so it still exists")
                } else {
                    format!("{what} may still exist: it is not known whether it was removed")
                };
                let mut lines = vec![self.row(instance, &self.paint.bad("✗"), &text)];
                lines.extend(render_failure(failure, self.paint.color));
                lines
            }
            None if self.is_quiet() => Vec::new(),
            None => {
                let text = match &cleaned.going {
                    Some(object) => format!("{what} is {}", going(object)),
                    None if cleaned.removed => format!("removed {what}"),
                    None => format!("kept {what}"),
                };
                let text = self.paint.dim(&text);
                vec![self.row(instance, &self.paint.dim("−"), &text)]
            }
        }
    }

    pub(super) fn host_call(&self, instance: &Foreign, call: &HostCall) -> Vec<String> {
        let answer = match (&call.code, call.allowed) {
            (Some(code), true) => self.paint.warn(&show::line(code)),
            (Some(code), false) => self.paint.bad(&show::line(code)),
            (None, _) => duration(call.duration_us / 1_000),
        };
        let text = format!(
            "{}.{} {}",
            show::line(&call.capability),
            show::line(&call.function),
            show::line(&call.target)
        );
        vec![self.row(
            instance,
            &self.paint.dim("→"),
            &format!("{}  {answer}", self.paint.dim(&text)),
        )]
    }
}
