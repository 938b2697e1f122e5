use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sidestep_events::{Envelope, Event, Failure, RunFinished, Severity, Status};

use super::paint::Paint;
use super::{Hint, TextOptions, Verbosity, plain_text};
use crate::duration;

/// What the end of the run needs to know of its course.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pipeline: String,
    /// The sandbox's scenario; none against the real cloud.
    scenario: Option<String>,
    steps: usize,
    ended: BTreeMap<String, Status>,
    outputs: Option<Value>,
    failures: BTreeMap<String, Failure>,
    removed: usize,
    left: usize,
    /// The codes of what was warned of: the log after it is long.
    warned: BTreeSet<String>,
}

impl Summary {
    pub(crate) fn see(&mut self, envelope: &Envelope) {
        let instance = || envelope.instance.clone().unwrap_or_default();
        match &envelope.event {
            Event::RunStarted(started) => {
                self.pipeline.clone_from(&started.pipeline);
                self.scenario.clone_from(&started.sandbox);
                // What an earlier process finished has no event here, and is not "not started".
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
                self.warned.insert(found.code.clone().into_owned());
            }
            Event::CleanedUp(cleaned) if cleaned.removed => self.removed += 1,
            Event::CleanedUp(cleaned) if cleaned.failure.is_some() => self.left += 1,
            _ => {}
        }
    }

    /// Remembers why an attempt failed, for the line that says that it is tried again.
    pub(crate) fn last_failure(&mut self, instance: &str, failure: &Failure) {
        self.failures.insert(instance.to_owned(), failure.clone());
    }

    pub(crate) fn failure_of(&self, instance: &str) -> Option<&Failure> {
        self.failures.get(instance)
    }

    pub(crate) fn lines(
        &self,
        run: &str,
        end: &RunFinished,
        options: &TextOptions,
        paint: Paint,
    ) -> Vec<String> {
        let quiet = options.verbosity == Verbosity::Quiet;
        let name = plain_text(&self.pipeline);
        let took = paint.dim(&format!("in {}", duration(end.duration_ms)));
        let head = match (end.status, end.exit) {
            (Status::Succeeded | Status::Cached, _) => {
                format!(
                    "{} {} {took}",
                    paint.good("✓"),
                    paint.bold(&format!("{name} succeeded"))
                )
            }
            (Status::Cancelled, _) => {
                format!(
                    "{} {} {took}",
                    paint.warn("■"),
                    paint.bold(&format!("{name} cancelled"))
                )
            }
            (Status::Waiting, _) => {
                format!(
                    "{} {} {took}",
                    paint.warn("·"),
                    paint.bold(&format!("{name} waits"))
                )
            }
            (_, exit) => format!(
                "{} {} {took}{}",
                paint.bad("✗"),
                paint.bold(&format!("{name} failed")),
                paint.dim(&format!(", exit {exit}"))
            ),
        };
        let mut lines = vec![String::new(), head];
        if end.status != Status::Succeeded {
            lines.extend(self.tally(paint));
        }
        if !self.warned.is_empty() && !quiet {
            let codes: Vec<_> = self.warned.iter().map(|code| plain_text(code)).collect();
            lines.push(format!(
                "  {} warned of {}",
                paint.warn("!"),
                codes.join(", ")
            ));
        }
        lines.extend(outputs(
            end.outputs.as_ref().or(self.outputs.as_ref()),
            end.status,
            paint,
        ));
        if !quiet {
            lines.extend(next(&self.hints(run, end, options), paint));
        }
        lines
    }

    /// `2 succeeded, 1 failed, 1 skipped; 1 object removed`.
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

    fn hints(&self, run: &str, end: &RunFinished, options: &TextOptions) -> Vec<Hint> {
        let hint = |command: String, does: &str| Hint {
            command,
            does: does.to_owned(),
        };
        let broken = |status: &Status| matches!(status, Status::Failed | Status::TimedOut);
        match end.status {
            Status::Succeeded | Status::Cached => {
                let mut hints = vec![hint(
                    format!("sidestep runs show {run}"),
                    "what each step touched",
                )];
                hints.extend(options.hints.iter().cloned());
                hints
            }
            Status::Waiting => vec![hint(format!("sidestep resume {run}"), "goes on")],
            _ => {
                let mut hints = Vec::from_iter(self.sandbox_first());
                let failed = self.ended.iter().filter(|(_, status)| broken(status));
                hints.extend(failed.take(3).map(|(instance, _)| {
                    hint(
                        format!("sidestep logs {run} {}", quoted(instance)),
                        "what it said",
                    )
                }));
                hints.push(hint(
                    format!("sidestep resume {run}"),
                    "tries what did not succeed again",
                ));
                hints
            }
        }
    }

    /// What to do before a command of gcloud or kubectl that a failure in the sandbox names: as it
    /// stands, it would go to the real cloud.
    fn sandbox_first(&self) -> Option<Hint> {
        let scenario = self.scenario.as_deref()?;
        let mut helps = self.failures.values().flat_map(|failure| &failure.help);
        helps
            .any(|help| help.starts_with("gcloud ") || help.starts_with("kubectl "))
            .then(|| Hint {
                command: format!(
                    "eval \"$(sidestep sandbox status --output env --scenario {})\"",
                    plain_text(scenario)
                ),
                does: "first: gcloud and kubectl in this shell go to the sandbox".to_owned(),
            })
    }
}

/// The longest structure that is shown whole, in characters.
const LONGEST_STRUCTURE: usize = 160;

/// A value for the summary: a text as it is, a small structure as JSON, of a large one its size.
fn shown(value: &Value) -> String {
    let (json, count) = match value {
        Value::String(text) => return text.clone(),
        Value::Array(items) => (value.to_string(), items.len()),
        Value::Object(map) => (value.to_string(), map.len()),
        other => return other.to_string(),
    };
    if json.chars().count() <= LONGEST_STRUCTURE {
        return json;
    }
    format!("{count} entries, whole with --output json")
}

/// The outputs, one a line.
fn outputs(outputs: Option<&Value>, status: Status, paint: Paint) -> Vec<String> {
    let Some(Value::Object(map)) = outputs else {
        return Vec::new();
    };
    if status != Status::Succeeded || map.is_empty() {
        return Vec::new();
    }
    let width = map.keys().map(|key| key.chars().count()).max().unwrap_or(0);
    let mut lines = vec![String::new()];
    for (name, value) in map {
        let text = shown(value);
        let name = format!("{:<width$}", plain_text(name));
        lines.push(format!(
            "  {}  {}",
            paint.bold(&name),
            paint.accent(&plain_text(&text))
        ));
    }
    lines
}

fn next(hints: &[Hint], paint: Paint) -> Vec<String> {
    if hints.is_empty() {
        return Vec::new();
    }
    let width = hints
        .iter()
        .map(|hint| hint.command.chars().count())
        .max()
        .unwrap_or(0);
    let mut lines = vec![String::new(), paint.dim("Next")];
    for hint in hints {
        let command = format!("{:<width$}", hint.command);
        lines.push(format!(
            "  $ {}  {}",
            paint.accent(&command),
            paint.dim(&hint.does)
        ));
    }
    lines
}

/// A step instance as a shell takes it.
fn quoted(instance: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if instance.chars().all(plain) {
        instance.to_owned()
    } else {
        format!("'{}'", plain_text(instance).replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_structure_that_nobody_would_read_is_counted() {
        assert_eq!(shown(&json!("text")), "text");
        assert_eq!(shown(&json!({ "a": [1, 2] })), r#"{"a":[1,2]}"#);
        let many: Vec<String> = (0..40).map(|n| format!("item {n}")).collect();
        assert_eq!(shown(&json!(many)), "40 entries, whole with --output json");
    }
}
