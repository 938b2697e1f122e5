//! What is said on the way: logs, progress, warnings, and calls.

use sidestep_events::{
    CleanedUp, Diagnostic, HostCall, LogLevel, LogLine, LogSource, Progress, Severity,
    WarningRaised,
};

use super::super::{Verbosity, plain_text, progress_text, render_failure};
use super::Narrator;
use crate::duration;

impl Narrator {
    pub(super) fn log(&self, instance: &str, line: &LogLine) -> Vec<String> {
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
    pub(super) fn progress(&mut self, instance: &str, progress: &Progress) -> Vec<String> {
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

    pub(super) fn warning(&self, instance: &str, warning: &WarningRaised) -> Vec<String> {
        let text = format!(
            "{} {}",
            plain_text(&warning.message),
            self.paint.dim(&format!("({})", plain_text(&warning.code)))
        );
        let first = self.row(instance, &self.paint.warn("!"), &text);
        self.with_help(instance, first, warning.help.iter())
    }

    pub(super) fn annotation(&self, instance: &str, found: &Diagnostic) -> Vec<String> {
        let sign = match found.severity {
            Severity::Error => self.paint.bad("✗"),
            Severity::Warning => self.paint.warn("!"),
            Severity::Note => self.paint.dim("·"),
        };
        if self.is_quiet() && found.severity < Severity::Error {
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
        let first = self.row(instance, &sign, &text);
        self.with_help(instance, first, found.help.iter())
    }

    pub(super) fn cleaned_up(&self, instance: &str, cleaned: &CleanedUp) -> Vec<String> {
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
            None if self.is_quiet() => Vec::new(),
            None => {
                let verb = if cleaned.removed { "removed" } else { "kept" };
                let text = self.paint.dim(&format!("{verb} {what}"));
                vec![self.row(instance, &self.paint.dim("−"), &text)]
            }
        }
    }

    pub(super) fn host_call(&self, instance: &str, call: &HostCall) -> Vec<String> {
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
