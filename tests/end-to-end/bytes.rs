//! Logs keep the exact bytes that a container wrote.

use std::io::{BufRead as _, BufReader};

use serde_json::Value;

use crate::interrupted::signal;
use crate::setup::Setup;

/// The scenario whose file defines the container's output.
const SCENARIO: &str = "--sandbox=any-bytes";

fn written() -> Vec<u8> {
    let mut bytes = b"\x1b[36mINFO\x1b[0m[0001] colours\r\nnull \0 bytes\n10%\r20%\r100%\nnot UTF-8: \xff\xfe\xc3(\n\n".to_vec();
    bytes.extend(b"0123456789abcdef".repeat(65_536));
    bytes.extend(b"\nno line feed, and half a character: \xe2\x82");
    bytes
}

fn raw(setup: &mut Setup, run: &str) -> Vec<u8> {
    let output = setup.run(&["logs", run, "--raw"]);
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

#[test]
fn a_log_of_any_bytes_comes_back_byte_by_byte() {
    let mut setup = Setup::with_application();
    let (exit, events) = setup.events(&["run", SCENARIO, "--run-id", "bytes"]);
    assert_eq!(exit, 0, "{:#?}", events.last());
    assert!(raw(&mut setup, "bytes") == written(), "not the same");

    // For people, each line is printed as one line, whatever its length.
    let shown = setup.run(&["logs", "bytes", "build"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    let lines: Vec<&str> = shown.lines().collect();
    let long = "0123456789abcdef".repeat(65_536);
    let at = lines.iter().position(|line| *line == long).expect("whole");
    assert_eq!(
        lines[at - 5..at],
        [
            "INFO[0001] colours",
            "null \\u{0} bytes",
            "10%\\r20%\\r100%",
            "not UTF-8: \u{fffd}\u{fffd}\u{fffd}(",
            "",
        ]
    );
    assert_eq!(
        lines[at + 1],
        "no line feed, and half a character: \u{fffd}"
    );
}

#[test]
fn a_run_shows_a_line_of_a_mebibyte_as_one() {
    let mut setup = Setup::with_application();
    let output = setup.run(&["run", SCENARIO]);
    let text = String::from_utf8(output.stdout).unwrap();
    let long = "0123456789abcdef".repeat(65_536);
    let with = text
        .lines()
        .filter(|line| line.contains("0123456789abcdef"));
    let with: Vec<&str> = with.collect();
    assert_eq!(with.len(), 1, "one line");
    assert!(with[0].ends_with(&long), "the whole of it");
}

/// Kills a run at its first piece of a long line, and returns the content of its log.
fn killed_in_a_line(setup: &mut Setup, run: &str) -> Vec<u8> {
    let arguments = ["run", SCENARIO, "--run-id", run, "--output", "json"];
    let mut child = setup.start(&arguments);
    let is_open = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["type"] == "log" && event["data"]["end"] == "open"
    };
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        lines.map(Result::unwrap).any(|line| is_open(&line)),
        "no line went on"
    );
    signal(&child, "KILL");
    child.wait().unwrap();
    raw(setup, run)
}

#[test]
fn a_runner_killed_in_the_middle_of_a_line_keeps_its_bytes() {
    let mut setup = Setup::with_application();
    let all = written();
    let mut in_the_line = false;
    // On a busy machine the container may have ended before the runner is killed.
    for run in ["killed-1", "killed-2", "killed-3", "killed-4"] {
        let before = killed_in_a_line(&mut setup, run);
        assert!(all.starts_with(&before), "what is there is right");
        in_the_line |= before.len() < all.len() && !before.ends_with(b"\n");
        let (exit, events) = setup.events(&["resume", run]);
        assert_eq!(exit, 0, "{:#?}", events.last());
        assert!(raw(&mut setup, run) == all, "not the same");
        if in_the_line {
            return;
        }
    }
    panic!("the runner was never killed in the middle of the line");
}

#[test]
fn the_bytes_of_several_containers_are_not_mixed() {
    let mut setup = Setup::with_application();
    let pipeline = "version: 1
name: two
defaults: { cluster: projects/demo/locations/europe-west1/clusters/ci }
steps:
  context:
    uses: sidestep/context-upload
    with: { path: \".\", bucket: demo-contexts }
  build:
    uses: sidestep/kaniko-launch
    matrix: { tag: [a, b] }
    with: { context: \"${{ steps.context.outputs.uri }}\", destinations: [\"europe-docker.pkg.dev/demo/images/two:${{ matrix.tag }}\"], namespace: builds, serviceAccount: kaniko }
";
    setup.write("two.yaml", pipeline);
    let (exit, events) = setup.events(&["run", "two.yaml", SCENARIO, "--run-id", "two"]);
    assert_eq!(exit, 0, "{:#?}", events.last());
    let output = setup.run(&["logs", "two", "--raw"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let told = String::from_utf8(output.stderr).unwrap();
    let commands: Vec<&str> = told
        .lines()
        .filter_map(|line| {
            line.split_once("sidestep logs two --raw --container ")?
                .1
                .into()
        })
        .collect();
    assert_eq!(commands.len(), 2, "{told}");
    for container in commands {
        let output = setup.run(&["logs", "two", "--raw", "--container", container]);
        assert!(output.stdout == written(), "not the same");
    }
    let instance = events
        .iter()
        .find_map(|event| {
            event["instance"]
                .as_str()
                .filter(|name| name.starts_with("build["))
        })
        .unwrap();
    let output = setup.run(&["logs", "two", "--raw", instance]);
    assert!(output.stdout == written(), "not the same");
}
