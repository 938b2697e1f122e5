//! The contract of every command for its standard output.

use std::fs::File;
use std::process::Output;

use clap::CommandFactory as _;
use serde_json::json;
use sidestep_runner::Cli;

use crate::command::stderr;
use crate::setup::Setup;

/// A pipeline that needs no builder.
const UPLOAD: &str = "version: 1
name: upload
steps:
  context:
    uses: sidestep/context-upload
    with: { bucket: demo-contexts, prefix: contexts/ }
";

/// Every command that ends and prints, with its arguments once `run` has created a run with this
/// id. A new command needs a row here.
const CALLS: &[(&str, &[&str])] = &[
    ("run", &["run", "--sandbox", "--run-id", "second"]),
    ("validate", &["validate"]),
    ("plan", &["plan", "--output", "json"]),
    (
        "exec",
        &[
            "exec",
            "context-upload",
            "-i",
            "bucket=demo-contexts",
            "--sandbox",
        ],
    ),
    ("resume", &["resume", "first"]),
    ("runs", &["runs"]),
    ("runs show", &["runs", "show", "first"]),
    ("logs", &["logs", "first"]),
    ("gc", &["gc", "--sandbox"]),
    ("context ls", &["context", "ls"]),
    ("context explain", &["context", "explain", "hello.txt"]),
    ("plugin new", &["plugin", "new", "count-words"]),
    ("plugin inspect", &["plugin", "inspect", "kaniko-launch"]),
    ("sandbox status", &["sandbox", "status"]),
    ("sandbox scenarios", &["sandbox", "scenarios"]),
    ("sandbox image", &["sandbox", "image", "-o", "-"]),
    ("schema", &["schema", "events"]),
    ("settings", &["settings"]),
    ("limits", &["limits"]),
    ("completions", &["completions", "bash"]),
];

/// Commands that print nothing to standard output on success, or serve until they are ended.
const SILENT: &[&str] = &[
    "context pack",
    "pod fetch-context",
    "pod wait-for-identity",
    "sandbox",
    "sandbox stop",
    "sandbox reset",
    "sandbox kaniko",
    "sandbox relay",
];

/// Commands that need a compiler, whose tests are in `authors`.
const ELSEWHERE: &[&str] = &["plugin build"];

/// Returns the names of all commands, including those with subcommands that also do something by
/// themselves.
fn commands(of: &clap::Command, before: &str, found: &mut Vec<String>) {
    for command in of.get_subcommands() {
        let name = format!("{before}{}", command.get_name());
        commands(command, &format!("{name} "), found);
        if !command.is_subcommand_required_set() {
            found.push(name);
        }
    }
}

fn to_a_full_disk(setup: &mut Setup, arguments: &[&str]) -> Output {
    let full = File::options().write(true).open("/dev/full").unwrap();
    setup.command(arguments).stdout(full).output().unwrap()
}

#[test]
fn no_command_says_that_it_printed_what_a_full_disk_did_not_take() {
    let mut all = Vec::new();
    commands(&Cli::command(), "", &mut all);
    all.retain(|name| !SILENT.contains(&name.as_str()) && !ELSEWHERE.contains(&name.as_str()));
    let mut known: Vec<_> = CALLS.iter().map(|(name, _)| (*name).to_owned()).collect();
    all.sort();
    known.sort();
    assert_eq!(all, known, "each command has a row");

    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", UPLOAD);
    let first = setup.run(&["run", "--sandbox", "--run-id", "first"]);
    assert!(first.status.success(), "{}", stderr(&first));
    for (name, call) in CALLS {
        let output = to_a_full_disk(&mut setup, call);
        let said = stderr(&output);
        // A run without log lines prints none.
        if *name == "logs" && setup.run(call).stdout.is_empty() {
            assert_eq!(output.status.code(), Some(0), "{name}: {said}");
            continue;
        }
        assert_eq!(output.status.code(), Some(1), "{name}: {said}");
        assert!(
            said.contains("the output can't be written"),
            "{name}: {said}"
        );
        assert!(said.contains("output.unwritable"), "{name}: {said}");
    }
    for name in &all {
        let mut help: Vec<&str> = name.split(' ').collect();
        help.push("--help");
        let output = to_a_full_disk(&mut setup, &help);
        assert_eq!(output.status.code(), Some(1), "{name} --help");
    }
    let version = to_a_full_disk(&mut setup, &["--version"]);
    assert_eq!(version.status.code(), Some(1));
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let mut setup = Setup::with_application();
    for call in [&["schema", "pipeline"][..], &["limits"], &["--help"]] {
        let (read, write) = std::io::pipe().unwrap();
        drop(read);
        let output = setup.command(call).stdout(write).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{call:?}: {}",
            stderr(&output)
        );
        assert_eq!(stderr(&output), "", "{call:?}");
    }
}

#[test]
fn a_file_of_inputs_is_read_as_a_pipeline_file_is() {
    let mut setup = Setup::with_application();
    setup.write(
        "sidestep.yaml",
        &format!("{UPLOAD}inputs: {{ release: {{ type: string }}, list: {{ type: list }} }}\n"),
    );
    setup.write(
        "inputs.yaml",
        "list: [no, 1.10, 010, ~, 0o17]\nrelease: 1.10\n",
    );
    let output = setup.run(&["plan", "--inputs", "inputs.yaml"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("inputs.yaml:2:10"), "{said}");
    assert!(said.contains("write \"1.10\" if it is a string"), "{said}");
    setup.write("inputs.yaml", "list: [\"no\", ~]\nrelease: \"1.10\"\n");
    let output = setup.run(&["plan", "--inputs", "inputs.yaml", "--output", "json"]);
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        plan["inputs"],
        json!({ "release": "1.10", "list": ["no", null] })
    );
}

#[test]
fn in_finally_a_condition_is_about_the_run() {
    let step = |prefix: &str| {
        format!(
            "uses: sidestep/context-upload, with: {{ bucket: demo-contexts, prefix: {prefix}/ }}"
        )
    };
    let mut setup = Setup::with_application();
    setup.write(
        "sidestep.yaml",
        &format!(
            "version: 1\nname: x\nsteps:\n  bad: {{ uses: sidestep/context-upload, with: {{ path: nowhere, bucket: demo-contexts, prefix: a/ }} }}\n  good: {{ {} }}\nfinally:\n  on_failure: {{ if: failure(), {} }}\n  on_success: {{ if: success(), {} }}\n",
            step("b"),
            step("c"),
            step("d")
        ),
    );
    let (exit, events) = setup.events(&["run", "--sandbox"]);
    assert_eq!(exit, 1);
    let ended = |step: &str, kind: &str| {
        events
            .iter()
            .any(|event| event["type"] == kind && event["step"] == step)
    };
    assert!(ended("on_failure", "step-finished"), "{events:#?}");
    assert!(ended("on_success", "step-skipped"), "{events:#?}");
}
