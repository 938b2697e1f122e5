//! Finds texts that CI systems would read as commands in a job's output.

use super::characters::color_sequence;

/// Markers that CI systems find anywhere in a line: GitHub's older commands and Azure Pipelines'
/// formatting (`##[`), Azure Pipelines' logging commands
/// (<https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands>), TeamCity's
/// service messages (<https://www.jetbrains.com/help/teamcity/service-messages.html>).
const MARKERS: [&str; 3] = ["##[", "##vso[", "##teamcity["];

/// The prefix of a line with a GitHub workflow command
/// (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).
const GITHUB: &str = "::";

/// The prefixes, followed by a blank, of a line that begins a group in Buildkite's log
/// (<https://buildkite.com/docs/pipelines/configure/managing-log-output>).
const BUILDKITE: [&str; 4] = ["---", "+++", "~~~", "^^^"];

/// Returns the text with the first `#` of each marker replaced by `instead`.
pub(super) fn without_markers(text: String, instead: &str) -> String {
    if !text.contains('#') {
        return text;
    }
    let mut broken = String::with_capacity(text.len() + instead.len());
    for (at, character) in text.char_indices() {
        if character == '#' && is_marker(&text[at..]) {
            broken.push_str(instead);
        } else {
            broken.push(character);
        }
    }
    broken
}

fn is_marker(text: &str) -> bool {
    MARKERS.iter().any(|marker| {
        let mut read = read(text);
        marker
            .chars()
            .all(|wanted| read.next().is_some_and(|c| c.eq_ignore_ascii_case(&wanted)))
    })
}

/// Returns the characters that a CI system compares. Sidestep's colours are removed, and characters
/// without width are too, because .NET's comparison ignores them.
fn read(text: &str) -> impl Iterator<Item = char> {
    let mut rest = text;
    std::iter::from_fn(move || {
        while let Some(length) = color_sequence(rest) {
            rest = &rest[length..];
        }
        let character = rest.chars().next()?;
        rest = &rest[character.len_utf8()..];
        Some(character)
    })
    .filter(|c| !is_ignorable(*c))
}

/// Returns whether a character has no width and is not shown as an escape:
/// Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt, without category Cf.
pub(super) fn is_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{34f}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{e0080}'..='\u{e0fff}'
    )
}

/// Returns whether a line begins with a command, after any blanks.
pub(super) fn begins_with_command(line: &str) -> bool {
    let line = line.trim_start();
    let group = |start: &str| {
        let title = line.strip_prefix(start);
        title.is_some_and(|title| title.starts_with(char::is_whitespace))
    };
    line.starts_with(GITHUB) || BUILDKITE.iter().any(|start| group(start))
}
