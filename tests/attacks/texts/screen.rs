//! Checks which characters the command's output may contain.

use serde_json::Value;

use crate::attacks::harness::Outcome;

/// The characters that an output may contain besides text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Screen {
    /// Nothing.
    Plain,
    /// Our colours.
    Colors,
    /// Tabs, which a log preserves.
    Log,
    /// Our own workflow commands, one per line.
    Annotations,
}

impl Screen {
    /// Returns the kind of output that these arguments produce.
    pub(super) fn with(arguments: &[&str]) -> Self {
        if arguments.contains(&"--color=always") {
            Self::Colors
        } else if arguments.contains(&"logs") {
            Self::Log
        } else {
            Self::Plain
        }
    }
}

/// Fails if any byte of the output affects a terminal or a CI system, or is invisible.
pub(super) fn assert_harmless(outcome: &Outcome, screen: Screen) {
    assert!(!outcome.said().is_empty(), "nothing was said");
    for line in outcome.said().split('\n') {
        let plain = match screen {
            Screen::Colors => without_our_colors(line),
            _ => line.to_owned(),
        };
        let acts = |c: &char| is_unseen(*c) && !(screen == Screen::Log && *c == '\t');
        let acting: Vec<char> = plain.chars().filter(acts).collect();
        assert!(acting.is_empty(), "{acting:?} in {line:?}: {outcome}");
        let low = plain.to_lowercase();
        for marker in ["##[", "##vso[", "##teamcity["] {
            assert!(!low.contains(marker), "{line:?}: {outcome}");
        }
        let begins = plain.trim_start();
        for start in ["::", "--- ", "+++ ", "~~~ ", "^^^ "] {
            let ours = screen == Screen::Annotations
                && ["::warning ", "::error ", "::notice "]
                    .iter()
                    .any(|name| line.starts_with(name));
            assert!(ours || !begins.starts_with(start), "{line:?}: {outcome}");
        }
    }
}

/// Returns the JSON values of standard output, after checking that every byte is harmless.
pub(super) fn assert_json(outcome: &Outcome) -> Vec<Value> {
    assert_harmless(outcome, Screen::Plain);
    let values: Vec<Value> = serde_json::Deserializer::from_str(&outcome.stdout)
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("JSON");
    assert!(!values.is_empty(), "no JSON: {outcome}");
    values
}

/// Returns whether a character is a control, a format character or a line separator (Unicode's
/// categories Cc, Cf, Zl and Zp), as far as the attacks use them.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
        )
}

/// Returns the line without the runner's own colours: bold, dimmed, and the eight text colours.
fn without_our_colors(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (color, rest) = part.split_once('m').expect("a colour sequence");
        let ours = |code: &str| {
            code.is_empty()
                || code
                    .parse()
                    .is_ok_and(|code: u8| matches!(code, 0..=4 | 22 | 24 | 30..=37 | 39 | 90..=97))
        };
        let ours = color.split(';').all(ours);
        assert!(ours, "{color:?} in {line:?}");
        plain.push_str(rest);
    }
    plain
}
