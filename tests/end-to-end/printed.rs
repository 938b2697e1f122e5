//! The commands in the help that a run prints.

use clap::Parser as _;
use serde_json::Value;
use sidestep_events::{Help, commands as own};

/// Returns the commands in the help of a failure or diagnostic, in shell syntax.
pub(crate) fn commands(help: &Value) -> Vec<String> {
    let help: Vec<Help> = serde_json::from_value(help.clone()).unwrap();
    let commands = help.iter().filter_map(Help::command);
    commands.map(sidestep_events::Command::to_line).collect()
}

/// Parses a runner command with the runner's own command line parser.
fn parses(words: &[String]) -> Result<(), String> {
    let parsed = sidestep_runner::Cli::try_parse_from(words);
    parsed.map(drop).map_err(|error| error.to_string())
}

#[test]
fn every_command_of_the_runner_that_it_prints_is_one_that_it_takes() {
    let (run, file) = ("0k3f9x2q7a", "pipelines/a b's.yaml");
    for command in [
        own::resume(run),
        own::show_run(run),
        own::logs(run, None),
        own::logs(run, Some("build[os=linux,arch=arm64]")),
        own::run(file, None),
        own::run(file, Some("healthy")),
        own::run(file, Some("no-binding")),
        own::run_as(run),
        own::plan(file),
        own::gc(None),
        own::gc(Some("healthy")),
        own::sandbox(&[], "healthy"),
        own::sandbox(&["stop"], "no-binding"),
        own::sandbox(&["status", "--output", "env"], "no-binding"),
    ] {
        let (words, input) = command.expect("every value is known").into_parts();
        assert!(input.is_empty());
        let word = |pieces: Vec<sidestep_events::Piece>| match &pieces[..] {
            [sidestep_events::Piece::Text(text)] => text.clone(),
            other => panic!("{other:?}"),
        };
        let words: Vec<String> = words.into_iter().map(word).collect();
        assert_eq!(parses(&words), Ok(()), "{words:?}");
    }
}

/// Returns the runner's commands in the code blocks of a page. Text after two spaces explains the
/// command.
fn of_page(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let blocks = joined.lines().filter_map(|line| line.strip_prefix("    "));
    let commands = blocks.filter(|line| line.starts_with("sidestep ") && !line.contains('·'));
    let cut = |line: &str| line.split("  ").next().unwrap_or(line).to_owned();
    commands.map(cut).collect()
}

#[test]
fn every_command_of_the_runner_in_the_docs_is_one_that_it_takes() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut seen = 0;
    for page in [
        "README.md",
        "docs/tutorial.md",
        "docs/sandbox.md",
        "docs/ways.md",
    ] {
        let text = std::fs::read_to_string(format!("{root}/{page}")).unwrap();
        for command in of_page(&text) {
            let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
            assert_eq!(parses(&words), Ok(()), "{page}: {command}");
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
}
