//! Untrusted texts in every output: none of them affects a terminal or a CI system.
//!
//! A table of hostile texts is placed wherever an untrusted text can appear. Every command shows
//! them in every format, to a pipe and as CI systems run it.

mod names;
mod plugins;
mod screen;

use serde_json::Value;

use super::harness::{Arena, Bounds, Outcome};
use screen::{Screen, assert_harmless, assert_json};

/// Texts that affect a terminal or a CI system, or that are invisible.
const HOSTILE: [&str; 24] = [
    // A window title, the clipboard, a link, a cleared screen, a colour: each by ESC or C1.
    "\u{1b}]0;owned\u{7}",
    "\u{1b}]52;c;cHduZWQ=\u{7}",
    "\u{1b}]8;;https:evil.example\u{1b}\\click\u{1b}]8;;\u{1b}\\",
    "\u{1b}[2J\u{1b}[H",
    "\u{1b}[31mred",
    "\u{9b}2J",
    "\u{9d}0;owned\u{9c}",
    "\u{7f}\u{8}\u{b}\u{c}\u{85}",
    // Characters that are invisible, or that reverse the others.
    "\u{202e}gnp.exe",
    "\u{2066}a\u{2069}\u{61c}\u{200f}",
    "a\u{200b}b\u{ad}c\u{feff}",
    // Lines that CI systems parse as commands: GitHub, Azure Pipelines, TeamCity, Buildkite,
    // GitLab.
    "a\n::set-output name=x::y",
    "a\n  ::add-mask::a",
    "a\r\n::error::forged",
    "a\r::warning::forged",
    "a\u{2028}::stop-commands::x",
    "::notice::forged",
    "a ##[add-path]x",
    "a ##vso[task.setvariable variable=x]y",
    "a ##teamcity[buildStatus text='x']",
    "a\n--- forged",
    "a\n+++ forged\n^^^ +++",
    "~~~ forged",
    "section_start:1:x\r\u{1b}[0Ka",
];

/// The variables of a job in each CI system.
const JOBS: [&[(&str, &str)]; 3] = [
    &[],
    &[("CI", "true"), ("GITHUB_ACTIONS", "true")],
    &[("CI", "true"), ("GITLAB_CI", "true")],
];

/// Returns the texts as an input of the pipeline, in ASCII JSON, which is also valid YAML.
fn inputs(act: &str) -> String {
    let texts: Vec<String> = HOSTILE.iter().map(|text| ascii(text)).collect();
    format!("act: {act}\ntexts: [{}]", texts.join(", "))
}

/// Returns a JSON string in ASCII.
fn ascii(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        ' '..='~' => c.to_string(),
        other => format!("\\u{:04x}", u32::from(other)),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// Runs a command as a CI job.
fn run(arena: &mut Arena, arguments: &[&str], job: &[(&str, &str)]) -> Outcome {
    let mut command = arena.setup.command(arguments);
    command.envs(job.iter().copied());
    arena.run_command(command, Bounds::default())
}

/// Collects all texts of a JSON value, keys included.
fn texts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Value::Object(map) => {
            for (key, item) in map {
                into.push(key.clone());
                texts(item, into);
            }
        }
        _ => {}
    }
}

/// Asserts that the JSON contains every hostile text unchanged.
fn assert_exact(json: &[Value], outcome: &Outcome) {
    let mut found = Vec::new();
    for value in json {
        texts(value, &mut found);
    }
    for hostile in HOSTILE {
        let exact = found.iter().any(|text| text.contains(hostile));
        assert!(exact, "{hostile:?} is not exact in the JSON: {outcome}");
    }
}

#[test]
fn what_a_step_says_is_shown_and_the_next_one_runs() {
    let mut arena = Arena::new();
    arena.attack(&inputs("texts.fail"));
    for job in JOBS {
        for more in [&[][..], &["-vv"], &["--quiet"], &["--color=always"]] {
            let outcome = run(&mut arena, &[&["run"], more].concat(), job);
            assert_eq!(outcome.code, Some(1), "{outcome}");
            assert_harmless(&outcome, Screen::with(more));
            if !more.contains(&"--quiet") {
                let plain = outcome
                    .said()
                    .replace("\u{1b}[1m", "")
                    .replace("\u{1b}[0m", "");
                assert!(plain.contains("arena failed"), "{outcome}");
                assert!(plain.contains("attack"), "{outcome}");
                assert!(
                    outcome.said().contains(r"\u{1b}]52;c;cHduZWQ="),
                    "{outcome}"
                );
                assert!(outcome.said().contains(r"\u{202e}gnp.exe"), "{outcome}");
            }
            // A plugin's advice is not the runner's advice.
            assert!(outcome.said().contains("gcloud projects delete acme"));
            outcome.assert_hides("$ gcloud");
        }
    }
    let outcome = run(&mut arena, &["run"], &[]);
    outcome.assert_next_step_ran();
}

#[test]
fn events_have_the_exact_texts_in_harmless_characters() {
    let mut arena = Arena::new();
    arena.attack(&inputs("texts.fail"));
    for job in JOBS {
        let outcome = run(&mut arena, &["run", "--output", "json"], job);
        assert_eq!(outcome.code, Some(1), "{outcome}");
        let events = assert_json(&outcome);
        assert_exact(&events, &outcome);
        let words = |event: &&Value| event["data"]["failure"]["by"] == "plugin";
        assert!(events.iter().any(|event| words(&event)), "{outcome}");
    }
}

#[test]
fn what_is_read_back_of_a_run_is_as_harmless() {
    let mut arena = Arena::new();
    arena.attack(&inputs("texts.fail"));
    let outcome = run(&mut arena, &["run", "--run-id", "hostile"], &[]);
    assert_eq!(outcome.code, Some(1), "{outcome}");
    for job in JOBS {
        for command in [
            &["runs"][..],
            &["runs", "show", "hostile"],
            &["logs", "hostile"],
            &["logs", "hostile", "attack"],
            &["gc", "--dry-run"],
        ] {
            let outcome = run(&mut arena, command, job);
            assert_eq!(outcome.code, Some(0), "{outcome}");
            assert_harmless(&outcome, Screen::with(command));
            outcome.assert_hides("$ gcloud");
        }
        let outcome = run(
            &mut arena,
            &["runs", "show", "hostile", "--output", "json"],
            job,
        );
        assert_exact(&assert_json(&outcome), &outcome);
    }
    // Its output is shown without its own colours.
    let log = run(&mut arena, &["logs", "hostile", "attack"], &[]);
    assert!(log.stdout.contains(r"\u{1b}]0;owned\u{7}"), "{log}");
    assert!(log.stdout.contains("\nred\n"), "{log}");
    assert!(log.stdout.contains("\n: :set-output name=x::y\n"), "{log}");
}

#[test]
fn outputs_are_shown_and_reach_the_next_step() {
    let mut arena = Arena::new();
    arena.attack(&inputs("texts.answer"));
    let pipeline = arena.setup.workspace().join("sidestep.yaml");
    let text = std::fs::read_to_string(&pipeline).expect("written");
    let outputs = "outputs:\n  found: \"${{ steps.attack.outputs.found }}\"\n";
    std::fs::write(&pipeline, text + outputs).expect("written");
    for job in JOBS {
        let outcome = run(&mut arena, &["run"], job);
        assert_harmless(&outcome, Screen::Plain);
        assert_eq!(outcome.code, Some(0), "{outcome}");
        outcome.assert_next_step_ran();
        let found = outcome.said();
        let found = found.lines().find(|line| line.starts_with("  found  "));
        let found = found.expect("the output is shown");
        assert!(found.contains(r"\u{1b}]52;c;cHduZWQ="), "{outcome}");
        assert!(found.contains(r"a\n::set-output name=x::y"), "{outcome}");
    }
}

#[test]
fn a_check_s_diagnostics_are_harmless_in_every_format() {
    let mut arena = Arena::new();
    arena.attack(&inputs("texts.check"));
    for job in JOBS {
        for command in [
            &["validate"][..],
            &["validate", "--color=always"],
            &["plan"],
            &["run"],
        ] {
            let outcome = run(&mut arena, command, job);
            assert_harmless(&outcome, Screen::with(command));
            assert!(
                outcome.said().contains(r"\u{1b}]52;c;cHduZWQ="),
                "{outcome}"
            );
            assert!(outcome.said().contains("gcloud projects delete acme"));
            outcome.assert_hides("$ gcloud");
        }
        for format in ["json", "sarif"] {
            let outcome = run(&mut arena, &["validate", "--output", format], job);
            assert_exact(&assert_json(&outcome), &outcome);
        }
        let outcome = run(&mut arena, &["validate", "--output", "github"], job);
        assert_harmless(&outcome, Screen::Annotations);
        // One for the result of each text, and one for each as a file name.
        assert_eq!(
            outcome.stdout.lines().count(),
            2 * HOSTILE.len(),
            "{outcome}"
        );
    }
    let outcome = run(&mut arena, &["run"], &[]);
    assert!(outcome.said().contains("attacker.unknown-act"), "{outcome}");
    outcome.assert_next_step_ran();
}
