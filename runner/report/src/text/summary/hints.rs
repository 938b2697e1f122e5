//! What to do next.

use sidestep_events::{Failure, Foreign, Owner, RunFinished, Status, show};

use super::super::paint::Paint;
use super::super::{Hint, TextOptions};
use super::Summary;

impl Summary {
    pub(super) fn hints(
        &self,
        run: &Foreign,
        end: &RunFinished,
        options: &TextOptions,
    ) -> Vec<Hint> {
        let run = show::shell_word(run);
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
                        format!("sidestep logs {run} {}", show::shell_word(instance)),
                        "what it said",
                    )
                }));
                hints.extend(self.afresh(options));
                hints.push(hint(
                    format!("sidestep resume {run}"),
                    "tries again what did not succeed, and keeps the rest",
                ));
                hints
            }
        }
    }

    /// A new run, where what the author mends is what an earlier step took up and `resume` keeps.
    fn afresh(&self, options: &TextOptions) -> Option<Hint> {
        let authors = |failure: &Failure| failure.owner == Owner::Author;
        let again = |hint: &&Hint| hint.command.starts_with("sidestep run ");
        let run = options.hints.iter().find(again)?;
        self.failures.values().any(authors).then(|| Hint {
            command: run.command.clone(),
            does: "afresh, with what you have changed".to_owned(),
        })
    }

    /// What to do before a command of gcloud or kubectl that a failure in the sandbox names: as it
    /// stands, it would go to the real cloud.
    fn sandbox_first(&self) -> Option<Hint> {
        let scenario = self.scenario.as_ref()?;
        let mut helps = self.failures.values().flat_map(|failure| &failure.help);
        let named = match scenario.exact() {
            "healthy" => String::new(),
            other => format!(" --scenario {}", show::shell_word(other)),
        };
        helps
            .any(|help| help.starts_with("gcloud ") || help.starts_with("kubectl "))
            .then(|| Hint {
                command: format!("eval \"$(sidestep sandbox status --output env{named})\""),
                does: "first: gcloud and kubectl in this shell go to the sandbox".to_owned(),
            })
    }
}

/// A longer command does not push what the others do out of a terminal's sight.
const MAX_COLUMN: usize = 50;

/// The hints, a command a line.
pub(super) fn lines(hints: &[Hint], paint: Paint) -> Vec<String> {
    if hints.is_empty() {
        return Vec::new();
    }
    let width = hints
        .iter()
        .map(|hint| hint.command.chars().count())
        .filter(|width| *width <= MAX_COLUMN)
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
