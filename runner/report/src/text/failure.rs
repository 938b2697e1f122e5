use sidestep_events::{Failure, Owner};

use super::paint::Paint;
use super::plain_text;

/// A failure for people: what happened, whose it is, and what to do next, each line indented by
/// two.
pub fn render_failure(failure: &Failure, color: bool) -> Vec<String> {
    let paint = Paint { color };
    let mut lines = Vec::new();
    for (index, line) in failure.message.lines().enumerate() {
        let label = if index == 0 { "why" } else { "" };
        lines.push(entry(paint, label, &plain_text(line)));
    }
    let code = format!(
        "{} ({}): {}",
        failure.code,
        failure.class,
        whose(failure.owner)
    );
    lines.push(entry(paint, "code", &paint.dim(&plain_text(&code))));
    let mut label = "help";
    for help in &failure.help {
        for line in help.lines() {
            lines.push(entry(paint, label, &help_line(paint, line)));
            label = "";
        }
    }
    lines
}

fn entry(paint: Paint, label: &str, text: &str) -> String {
    let label = format!("{label:<4}");
    format!("  {}  {text}", paint.bold(&label))
        .trim_end()
        .to_owned()
}

/// A line of help; a command stands out.
pub(crate) fn help_line(paint: Paint, line: &str) -> String {
    let line = plain_text(line);
    if is_command(&line) {
        format!("$ {}", paint.accent(&line))
    } else {
        line
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
