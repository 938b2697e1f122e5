use sidestep_events::{Failure, Help, Owner, Speaker, show};

use super::paint::Paint;

/// A failure for people: what happened, whose it is, and what to do next, each line indented by
/// two.
pub fn render_failure(failure: &Failure, color: bool) -> Vec<String> {
    let paint = Paint { color };
    let (why, on) = (label(paint, "why"), label(paint, GOES_ON));
    let mut lines = show::block(&failure.message, &why, &on);
    if failure.message.exact().trim().is_empty() {
        lines = vec![format!("{why}no reason was given")];
    }
    let code = format!(
        "{} ({}), {}",
        show::line(&failure.code),
        failure.class,
        owner(failure.owner)
    );
    lines.push(label(paint, "code") + &paint.dim(&code));
    let told = lines.len();
    for line in help_lines(paint, failure.by, &failure.help) {
        let name = match (lines.len() > told, &line) {
            (false, _) => "help",
            (true, Line::Marked(_)) => "",
            (true, Line::Plain(_)) => GOES_ON,
        };
        lines.push((label(paint, name) + line.text()).trim_end().to_owned());
    }
    lines
}

/// The label of a line that goes on: CI systems look for commands behind blanks, so that each line
/// begins with something of ours.
const GOES_ON: &str = "   ·";

fn label(paint: Paint, name: &str) -> String {
    format!("  {}  ", paint.bold(&format!("{name:<4}")))
}

/// A line of help.
pub(crate) enum Line {
    /// Begins with a mark of ours.
    Marked(String),
    /// Begins with what was written.
    Plain(String),
}

impl Line {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Marked(text) | Self::Plain(text) => text,
        }
    }
}

/// The lines of help. A command stands out, and only the runner's own has a prompt: who pastes it
/// trusts the runner.
pub(crate) fn help_lines(paint: Paint, by: Speaker, help: &[Help]) -> Vec<Line> {
    let line = |help: &Help, line: String| match (help, by) {
        (Help::Text(_), _) => Line::Plain(line),
        (Help::Command(_), Speaker::Runner) => Line::Marked(format!("$ {}", paint.accent(&line))),
        (Help::Command(_), Speaker::Plugin) => Line::Marked(format!("│ {line}")),
    };
    let lines = help.iter().flat_map(|help| {
        let shown = show::help(help).into_iter();
        shown.map(move |shown| line(help, shown))
    });
    lines.collect()
}

/// Returns who can repair it.
fn owner(owner: Owner) -> &'static str {
    match owner {
        Owner::Author => "owner: author of the pipeline or of the code that it builds",
        Owner::Plugin => "owner: author of the plugin",
        Owner::Cloud => "owner: Google Cloud project administrator",
        Owner::Cluster => "owner: cluster administrator",
        Owner::Operator => "owner: operator of sidestep",
        Owner::Sidestep => "owner: sidestep (a bug; please report it)",
    }
}

#[cfg(test)]
mod tests {
    use sidestep_events::{Class, Failure, Owner};

    use super::render_failure;

    #[test]
    fn a_failure_without_a_message_still_says_so() {
        for message in ["", " \n "] {
            let failure = Failure::new(Class::Failed, "plugin.failed", Owner::Plugin, message);
            let lines = render_failure(&failure, false);
            assert_eq!(lines[0], "  why   no reason was given");
            assert!(lines[1].contains("plugin.failed"), "{lines:?}");
        }
    }
}
