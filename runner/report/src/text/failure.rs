use sidestep_events::{Failure, Foreign, Owner, Speaker, show};

use super::paint::Paint;

/// A failure for people: what happened, whose it is, and what to do next, each line indented by
/// two.
pub fn render_failure(failure: &Failure, color: bool) -> Vec<String> {
    let paint = Paint { color };
    let (why, on) = (label(paint, "why"), label(paint, GOES_ON));
    let mut lines = show::block(&failure.message, &why, &on);
    let code = format!(
        "{} ({}): {}",
        show::line(&failure.code),
        failure.class,
        whose(failure.owner)
    );
    lines.push(label(paint, "code") + &paint.dim(&code));
    let told = lines.len();
    for line in failure.help.iter().flat_map(Foreign::lines) {
        let line = help_line(paint, failure.by, &line);
        let name = match (lines.len() > told, &line) {
            (false, _) => "help",
            (true, Help::Marked(_)) => "",
            (true, Help::Plain(_)) => GOES_ON,
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
pub(crate) enum Help {
    /// Begins with a mark of ours.
    Marked(String),
    /// Begins with what was written.
    Plain(String),
}

impl Help {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Marked(text) | Self::Plain(text) => text,
        }
    }
}

/// A line of help. A command stands out, and only the runner's own has a prompt: who pastes it
/// trusts the runner.
pub(crate) fn help_line(paint: Paint, by: Speaker, line: &Foreign) -> Help {
    let line = show::line(line);
    match by {
        _ if !is_command(&line) => Help::Plain(line),
        Speaker::Runner => Help::Marked(format!("$ {}", paint.accent(&line))),
        Speaker::Plugin => Help::Marked(format!("│ {line}")),
    }
}

/// Who can mend it, as a person would say it.
fn whose(owner: Owner) -> &'static str {
    match owner {
        Owner::Author => "for who wrote the pipeline, or the code that it builds",
        Owner::Plugin => "for who wrote the plugin",
        Owner::Cloud => "for who runs the Google Cloud project",
        Owner::Cluster => "for who runs the cluster",
        Owner::Operator => "for who runs sidestep here",
        Owner::Sidestep => "a bug in sidestep, please report it",
    }
}

/// Whether a help line is a command, alone in its entry: these get a prompt, so that it is plain
/// what to paste.
fn is_command(line: &str) -> bool {
    let Some((program, rest)) = line.split_once(' ') else {
        return false;
    };
    let known = [
        "sidestep", "gcloud", "kubectl", "docker", "git", "kill", "eval",
    ];
    // A full stop makes it a sentence, unless it is an argument: the folder `.`.
    let is_sentence = rest.ends_with('.') && !rest.ends_with(" .");
    known.contains(&program) && !is_sentence
}

#[cfg(test)]
mod tests {
    use super::is_command;

    #[test]
    fn a_command_is_told_from_a_sentence() {
        assert!(is_command("sidestep context explain go.mod ."));
        assert!(is_command(
            "eval \"$(sidestep sandbox status --output env)\""
        ));
        assert!(!is_command("sidestep is asked for more than it has."));
        assert!(!is_command("grant it, as who administers the bucket:"));
    }
}
