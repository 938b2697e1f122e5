//! Shows the progress of the run: its start, and each step's start and end.

use sidestep_events::{
    Foreign, RetryScheduled, RunStarted, Status, StepFinished, StepSkipped, show,
};

use super::super::{render_failure, render_plan};
use super::{Narrator, column};
use crate::duration;

impl Narrator {
    pub(super) fn run_started(&mut self, run: &Foreign, started: &RunStarted) -> Vec<String> {
        self.width = column(started.steps.iter().map(|step| &step.instance));
        if self.is_quiet() {
            return Vec::new();
        }
        let mut title = format!(
            "{} {} · run {}",
            self.paint.bold("sidestep"),
            self.paint.bold(&show::line(&started.pipeline)),
            show::line(run),
        );
        if let Some(scenario) = &started.sandbox {
            title.push_str(" · sandbox ");
            title.push_str(&show::line(scenario));
        }
        if started.resumed {
            title.push_str(" · resumed");
            return vec![title, String::new()];
        }
        let mut lines = vec![title, String::new()];
        lines.push(self.paint.dim("What each step may touch"));
        lines.extend(render_plan(&started.steps, self.paint.color));
        lines.push(String::new());
        lines
    }

    pub(super) fn attempt_started(
        &self,
        instance: &Foreign,
        attempt: u32,
        resumed: bool,
    ) -> Vec<String> {
        let mut notes = Vec::new();
        if attempt > 1 {
            notes.push(format!("attempt {attempt}"));
        }
        if resumed {
            notes.push("resuming where it was interrupted".to_owned());
        }
        let sign = self.paint.accent("▸");
        vec![self.milestone(instance, &sign, &self.paint.dim(&notes.join(", ")))]
    }

    pub(super) fn step_finished(&self, instance: &Foreign, end: &StepFinished) -> Vec<String> {
        let took = duration(end.duration_ms);
        if end.status.has_outputs() {
            if self.is_quiet() {
                return Vec::new();
            }
            let text = match end.status {
                Status::Cached => "unchanged, reused from an earlier run".to_owned(),
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
        // A step that was stopped on purpose needs no explanation.
        if let Some(failure) = &end.failure
            && end.status != Status::Cancelled
        {
            lines.extend(render_failure(failure, self.paint.color));
        }
        lines
    }

    pub(super) fn step_skipped(&self, instance: &Foreign, skipped: &StepSkipped) -> Vec<String> {
        if self.is_quiet() {
            return Vec::new();
        }
        let text = if skipped.because_of_failure {
            "skipped: a step that it needs did not succeed".to_owned()
        } else {
            let values: Vec<_> = skipped
                .values
                .iter()
                .map(|(name, value)| {
                    let value = show::json(value).unwrap_or_default();
                    format!("{} = {value}", show::line(name))
                })
                .collect();
            let mut text = format!("skipped: {} is false", show::line(&skipped.condition));
            if !values.is_empty() {
                text.push_str(&format!(" ({})", values.join(", ")));
            }
            text
        };
        vec![self.milestone(instance, &self.paint.dim("○"), &self.paint.dim(&text))]
    }

    pub(super) fn retry(&self, instance: &Foreign, retry: &RetryScheduled) -> Vec<String> {
        let mut lines = Vec::new();
        let wait = duration(retry.after_ms);
        let text = format!(
            "retrying in {wait} ({} may be temporary)",
            show::line(&retry.because)
        );
        if let Some(failure) = self.summary.failure_of(instance) {
            lines.push(self.row(instance, &self.paint.warn("!"), &failure.to_string()));
        }
        lines.push(self.milestone(instance, &self.paint.warn("↻"), &text));
        lines
    }
}
