//! Suggests what to do next.

use sidestep_events::{Command, Failure, Foreign, Owner, RunFinished, Status, commands, show};

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
        let run = run.exact();
        let hint = |command: Option<Command>, does: &str| {
            command.map(|command| Hint {
                command,
                does: does.to_owned(),
            })
        };
        let broken = |status: &Status| matches!(status, Status::Failed | Status::TimedOut);
        match end.status {
            Status::Succeeded | Status::Cached => {
                let mut hints =
                    Vec::from_iter(hint(commands::show_run(run), "show what each step touched"));
                hints.extend(options.hints.iter().cloned());
                hints
            }
            Status::Waiting => Vec::from_iter(hint(commands::resume(run), "resume the run")),
            _ => {
                let mut hints = Vec::from_iter(self.sandbox_first());
                let failed = self.ended.iter().filter(|(_, status)| broken(status));
                hints.extend(failed.take(3).filter_map(|(instance, _)| {
                    hint(
                        commands::logs(run, Some(instance.exact())),
                        "show the step's log",
                    )
                }));
                hints.extend(self.afresh(options));
                hints.extend(hint(
                    commands::resume(run),
                    "retry the steps that did not succeed, and keep the others",
                ));
                hints
            }
        }
    }

    /// Suggests a new run if the author owns a failure: the fix may change the result of a finished
    /// step, which `resume` would keep.
    fn afresh(&self, options: &TextOptions) -> Option<Hint> {
        let authors = |failure: &Failure| failure.owner == Owner::Author;
        let again = |hint: &&Hint| hint.command.to_line().starts_with("sidestep run ");
        let run = options.hints.iter().find(again)?;
        self.failures.values().any(authors).then(|| Hint {
            command: run.command.clone(),
            does: "start a new run with your changes".to_owned(),
        })
    }

    /// Suggests entering the sandbox first, if a failure in the sandbox names a command of gcloud
    /// or kubectl. Otherwise that command would go to the real cloud.
    fn sandbox_first(&self) -> Option<Hint> {
        let scenario = self.scenario.as_ref()?;
        let helps = self.failures.values().flat_map(|failure| &failure.help);
        let mut programs = helps.filter_map(|help| help.command()?.program());
        programs
            .any(|program| matches!(program, "gcloud" | "kubectl"))
            .then(|| commands::enter_sandbox(scenario.exact()))
            .flatten()
            .map(|command| Hint {
                command,
                does: "do this first: it points gcloud and kubectl in this shell at the sandbox"
                    .to_owned(),
            })
    }
}

/// The maximum width of the column of commands, so that a long command does not move the
/// descriptions out of view.
const MAX_COLUMN: usize = 50;

/// Returns the hints, one command per line.
pub(super) fn lines(hints: &[Hint], paint: Paint) -> Vec<String> {
    if hints.is_empty() {
        return Vec::new();
    }
    let commands: Vec<String> = hints.iter().map(|h| show::command(&h.command)).collect();
    let width = commands
        .iter()
        .map(|command| command.chars().count())
        .filter(|width| *width <= MAX_COLUMN)
        .max()
        .unwrap_or(0);
    let mut lines = vec![String::new(), paint.dim("Next")];
    for (hint, command) in hints.iter().zip(commands) {
        let command = format!("{command:<width$}");
        lines.push(format!(
            "  $ {}  {}",
            paint.accent(&command),
            paint.dim(&hint.does)
        ));
    }
    lines
}
