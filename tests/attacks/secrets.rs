//! A secret printed in parts, with invisible text between them.

use std::fs;
use std::path::Path;

use super::harness::{Arena, Bounds, Outcome};

const SECRET: &str = "hunter22-swordfish";

/// Runs an act that prints the secret, with this text between its two halves (YAML, in double
/// quotes).
fn run(act: &str, between: &str) -> (Arena, Outcome) {
    let mut arena = Arena::new();
    let inputs = format!(
        "act: {act}\ntexts: [\"{between}\", hunter22, -swordfish]\nsecrets: [{{ names: [token] }}]"
    );
    let outcome = run_with(&mut arena, &inputs, SECRET, &["run"]);
    (arena, outcome)
}

/// Runs the attack of a step that has the secret `token`, which comes from the variable TOKEN.
fn run_with(arena: &mut Arena, inputs: &str, secret: &str, arguments: &[&str]) -> Outcome {
    arena.attack_with(inputs, "secrets: [token]");
    let file = arena.setup.workspace().join("sidestep.yaml");
    let pipeline = fs::read_to_string(&file).expect("the pipeline");
    let with_secret = pipeline.replacen(
        "steps:\n",
        "secrets: { token: { env: TOKEN } }\nsteps:\n",
        1,
    );
    fs::write(&file, with_secret).expect("the pipeline");
    let mut command = arena.setup.command(arguments);
    command.env("TOKEN", secret);
    arena.run_command(command, Bounds::default())
}

/// Returns a text as it appears without escapes and control characters.
fn seen(text: &str) -> String {
    let mut seen = text.to_owned();
    for escape in [
        "\\u0000",
        "\\u{0}",
        "\\0",
        "\\u001b",
        "\\u{1b}",
        "\\e",
        "\\u007f",
        "\\u{7f}",
        "\\n",
        "\\u{a}",
        "\\u000a",
        "\\u202e",
        "\\u{202e}",
        "[31m",
    ] {
        seen = seen.replace(escape, "");
    }
    seen.retain(|c| !c.is_control() && c != '\u{202e}');
    seen
}

/// Collects all files that the command left outside the workspace.
fn kept(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "workspace") {
            kept(&path, into);
        } else if path.is_file() {
            into.push_str(&String::from_utf8_lossy(&fs::read(&path).expect("a file")));
        }
    }
}

fn assert_hidden(arena: &Arena, outcome: &Outcome) {
    let said = seen(&outcome.said());
    assert!(!said.contains(SECRET), "it got out: {outcome}");
    let mut files = String::new();
    kept(arena.setup.folder(), &mut files);
    assert!(files.contains("hunter22"), "the plan holds the parts");
    assert!(!seen(&files).contains(SECRET), "it is on disk: {outcome}");
    assert!(outcome.code.is_some(), "the runner lives: {outcome}");
    outcome.assert_next_step_ran();
}

#[test]
fn whatever_stands_between_its_characters_a_secret_is_not_said() {
    for between in ["", "\\0", "\\e", "\\n", "\\x7f", "\\e[31m", "\\u202e"] {
        let (arena, outcome) = run("secrets.say", between);
        assert_eq!(outcome.code, Some(0), "{outcome}");
        assert_hidden(&arena, &outcome);
        assert!(outcome.said().contains("I know ***"), "{outcome}");
    }
}

#[test]
fn a_failure_and_its_details_hold_no_secret() {
    for arguments in [&["run"][..], &["run", "--output", "json"]] {
        let mut arena = Arena::new();
        let inputs = "act: secrets.fail\ntexts: [\"\\0\", hunter22, -swordfish]";
        let outcome = run_with(&mut arena, inputs, SECRET, arguments);
        assert_eq!(outcome.code, Some(1), "{outcome}");
        assert!(outcome.said().contains("I know ***"), "{outcome}");
        assert!(!seen(&outcome.said()).contains(SECRET), "{outcome}");
    }
    let (arena, outcome) = run("secrets.fail", "\\n");
    assert_hidden(&arena, &outcome);
}

#[test]
fn a_panic_holds_no_secret() {
    let (arena, outcome) = run("secrets.panic", "\\e");
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert_hidden(&arena, &outcome);
    assert!(outcome.said().contains("plugin.panicked"), "{outcome}");
}

#[test]
fn an_output_and_a_checkpoint_with_a_secret_fail_the_step() {
    for (act, code, message) in [
        (
            "secrets.answer",
            "output.secret",
            "the output at `/found` holds a secret",
        ),
        (
            "secrets.keep",
            "checkpoint.secret",
            "the checkpoint holds a secret at `/***`",
        ),
    ] {
        let (arena, outcome) = run(act, "\\0");
        assert_eq!(outcome.code, Some(1), "{outcome}");
        assert!(outcome.said().contains(code), "{outcome}");
        assert!(outcome.said().contains(message), "{outcome}");
        assert_hidden(&arena, &outcome);
    }
}

#[test]
fn a_secret_that_is_too_short_to_be_masked_starts_nothing() {
    for secret in ["zq9", "z\n\n\n\nq9", "\u{200b}\u{200b}zq9"] {
        let mut arena = Arena::new();
        let outcome = run_with(&mut arena, "act: honest.answer", secret, &["run"]);
        assert_eq!(outcome.code, Some(2), "{outcome}");
        let said = outcome.said();
        assert!(
            said.contains("the secret token can't be used: it has fewer than 4 bytes"),
            "{outcome}"
        );
        assert!(said.contains("secret.too-short"), "{outcome}");
        assert!(!said.contains("zq9") && !said.contains("✓"), "{outcome}");
    }
}

#[test]
fn a_secret_that_expressions_may_read_is_an_error_at_its_line() {
    let mut arena = Arena::new();
    arena.setup.write(
        "sidestep.yaml",
        "version: 1\nname: arena\nsecrets: { token: { env: TOKEN } }\nenv: [TOKEN]\nsteps:\n  attack:\n    uses: ./attacker.wasm\n    with: { act: honest.answer, texts: [\"${{ env.TOKEN }}\"] }\n",
    );
    for command in ["validate", "plan", "run"] {
        let mut process = arena.setup.command(&[command]);
        process.env("TOKEN", SECRET);
        let outcome = arena.run_command(process, Bounds::default());
        assert_eq!(outcome.code, Some(2), "{outcome}");
        let said = outcome.said();
        assert!(said.contains("secret.in-env"), "{outcome}");
        assert!(said.contains("sidestep.yaml:4:7"), "{outcome}");
        let mut files = said;
        kept(arena.setup.folder(), &mut files);
        assert!(!files.contains(SECRET), "{outcome}");
    }
}
