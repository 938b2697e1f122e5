//! Renders the summary at the end of a run: the result, the outputs, and what to do next.

mod hints;
mod outputs;

use std::collections::{BTreeMap, BTreeSet};

use sidestep_events::{
    Envelope, Event, Failure, Foreign, ForeignValue, RunFinished, Severity, Status, show,
};

use super::paint::Paint;
use super::{TextOptions, Verbosity};
use crate::duration;

/// The facts about a run that its summary needs.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pipeline: Foreign,
    /// The sandbox's scenario; `None` in the real cloud.
    scenario: Option<Foreign>,
    steps: usize,
    ended: BTreeMap<Foreign, Status>,
    outputs: Option<ForeignValue>,
    failures: BTreeMap<Foreign, Failure>,
    removed: usize,
    left: usize,
    /// The codes of the warnings, repeated at the end, since the log is long.
    warned: BTreeSet<Foreign>,
}

impl Summary {
    pub(crate) fn see(&mut self, envelope: &Envelope) {
        let instance = || envelope.instance.clone().unwrap_or_default();
        match &envelope.event {
            Event::RunStarted(started) => {
                self.pipeline.clone_from(&started.pipeline);
                self.scenario.clone_from(&started.sandbox);
                // Steps that an earlier process finished have no event here, and must not count as
                // not started.
                self.steps = if started.resumed {
                    0
                } else {
                    started.steps.len()
                };
            }
            Event::StepFinished(finished) => {
                self.ended.insert(instance(), finished.status);
                if let Some(failure) = &finished.failure {
                    self.last_failure(&instance(), failure);
                }
                if finished.outputs.is_some() {
                    self.outputs.clone_from(&finished.outputs);
                }
            }
            Event::StepSkipped(_) => {
                self.ended.insert(instance(), Status::Skipped);
            }
            Event::Warning(warning) => {
                self.warned.insert(warning.code.clone());
            }
            Event::Annotation(found) if found.severity == Severity::Warning => {
                self.warned.insert(found.code.clone());
            }
            Event::CleanedUp(cleaned) if cleaned.removed => self.removed += 1,
            Event::CleanedUp(cleaned) if cleaned.failure.is_some() => self.left += 1,
            _ => {}
        }
    }

    /// Stores why an attempt failed, for the line that announces the retry.
    pub(crate) fn last_failure(&mut self, instance: &Foreign, failure: &Failure) {
        self.failures.insert(instance.clone(), failure.clone());
    }

    pub(crate) fn failure_of(&self, instance: &Foreign) -> Option<&Failure> {
        self.failures.get(instance)
    }

    pub(crate) fn lines(
        &self,
        run: &Foreign,
        end: &RunFinished,
        options: &TextOptions,
        paint: Paint,
    ) -> Vec<String> {
        let quiet = options.verbosity == Verbosity::Quiet;
        let name = show::line(&self.pipeline);
        let took = paint.dim(&format!("in {}", duration(end.duration_ms)));
        let (sign, word, exit) = match end.status {
            Status::Succeeded | Status::Cached => (paint.good("✓"), "succeeded", None),
            Status::Cancelled => (paint.warn("■"), "cancelled", None),
            Status::Waiting => (paint.warn("·"), "detached", None),
            _ => (paint.bad("✗"), "failed", Some(end.exit)),
        };
        let exit = exit.map(|exit| paint.dim(&format!(", exit {exit}")));
        let head = format!(
            "{sign} {} {took}{}",
            paint.bold(&format!("{name} {word}")),
            exit.unwrap_or_default()
        );
        let mut lines = vec![String::new(), head];
        if end.status != Status::Succeeded {
            lines.extend(self.tally(paint));
        }
        if !self.warned.is_empty() && !quiet {
            let codes: Vec<_> = self.warned.iter().map(show::line).collect();
            lines.push(format!(
                "  {} warnings: {}",
                paint.warn("!"),
                codes.join(", ")
            ));
        }
        lines.extend(outputs::lines(
            end.outputs.as_ref().or(self.outputs.as_ref()),
            end.status,
            paint,
        ));
        if !quiet {
            lines.extend(hints::lines(&self.hints(run, end, options), paint));
        }
        lines
    }

    /// Returns the counts, such as `2 succeeded, 1 failed, 1 skipped; 1 object removed`.
    fn tally(&self, paint: Paint) -> Option<String> {
        let mut parts = Vec::new();
        for status in [
            Status::Succeeded,
            Status::Cached,
            Status::Failed,
            Status::TimedOut,
            Status::Cancelled,
            Status::Skipped,
        ] {
            let count = self
                .ended
                .values()
                .filter(|ended| **ended == status)
                .count();
            if count > 0 {
                parts.push(format!("{count} {status}"));
            }
        }
        let waiting = self.steps.saturating_sub(self.ended.len());
        if waiting > 0 {
            parts.push(format!("{waiting} not started"));
        }
        let mut text = parts.join(", ");
        let objects = |count: usize| match count {
            1 => "1 object".to_owned(),
            count => format!("{count} objects"),
        };
        if self.removed > 0 {
            text.push_str(&format!("; {} removed", objects(self.removed)));
        }
        if self.left > 0 {
            text.push_str(&format!("; {} could not be removed", objects(self.left)));
        }
        (!text.is_empty()).then(|| format!("  {}", paint.dim(&text)))
    }
}
