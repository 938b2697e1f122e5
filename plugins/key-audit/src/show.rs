//! Prints findings for people, in 80 columns with the id of the step before them.

use crate::outputs::{Finding, Rule};

/// The width of a line. The runner puts the step's id before it, for which 80 columns have space.
const WIDTH: usize = 64;

/// Returns the lines of a finding: its place and rule, the sentence, its users, its migration.
pub(crate) fn lines(finding: &Finding) -> Vec<String> {
    let place = match finding.line {
        Some(line) => format!("{}:{line}", finding.place),
        None => finding.place.clone(),
    };
    let mut lines = vec![format!("{}  {place}", finding.rule.id())];
    wrapped(&mut lines, "  ", "  ", &finding.message);
    if !finding.used_by.is_empty() {
        wrapped(
            &mut lines,
            "  used by ",
            "    ",
            &finding.used_by.join(", "),
        );
    }
    for (number, step) in (1..).zip(&finding.migration) {
        wrapped(&mut lines, &format!("  {number}. "), "     ", &step.text);
        // A command is never wrapped: it is to be copied.
        lines.extend(
            step.command
                .iter()
                .map(|command| format!("       {command}")),
        );
    }
    lines
}

/// Returns the last line.
pub(crate) fn summary(findings: &[Finding], objects: u32, files: u32) -> String {
    let keys = findings.iter().filter(|one| one.rule.is_key()).count();
    let unknown = findings
        .iter()
        .filter(|one| one.rule == Rule::CannotTell)
        .count();
    let other = findings.len() - keys - unknown;
    let mut text = format!(
        "{}, {other} other finding{} in {objects} object{} and {files} file{}",
        counted(keys, "key"),
        plural(other),
        plural(objects as usize),
        plural(files as usize),
    );
    if unknown > 0 {
        text.push_str(&format!("; {} not searched", counted(unknown, "place")));
    }
    text
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", plural(count))
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Adds a text in lines of at most [`WIDTH`] characters, as far as its words allow.
fn wrapped(lines: &mut Vec<String>, first: &str, rest: &str, text: &str) {
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        let length = line.chars().count() + usize::from(!is_empty) + word.chars().count();
        if !is_empty && length > WIDTH {
            lines.push(std::mem::replace(&mut line, rest.to_owned()));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push(line);
}
