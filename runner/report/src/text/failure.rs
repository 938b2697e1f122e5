use sidestep_events::{Failure, Help, Owner, Speaker, show};

use super::paint::Paint;

/// Renders a failure for people: what happened, who owns it, and what to do next. Each line is
/// indented by two spaces.
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

/// The label of a continuation line. CI systems recognise their own commands even after spaces, so
/// each line must begin with a mark of the runner.
const GOES_ON: &str = "   ·";

fn label(paint: Paint, name: &str) -> String {
    format!("  {}  ", paint.bold(&format!("{name:<4}")))
}

/// A line of help.
pub(crate) enum Line {
    /// Begins with a mark of the runner.
    Marked(String),
    /// Begins with the original text.
    Plain(String),
}

impl Line {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Marked(text) | Self::Plain(text) => text,
        }
    }
}

/// Returns the lines of help. A command is highlighted, and only the runner's own commands have a
/// prompt, because users who paste them trust the runner.
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

/// Returns the name of the owner, who can fix it.
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
