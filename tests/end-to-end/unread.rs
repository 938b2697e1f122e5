//! Output that is not read: a stopped terminal, a stuck pipe, a reader that exits early.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::interrupted::signal;
use crate::setup::Setup;

/// More lines than the runner buffers for a reader.
const LINES: usize = 8000;

fn with_lines(lines: usize) -> Setup {
    let setup = Setup::with_application();
    let labels: String = (0..lines).map(|n| format!("LABEL n={n}\n")).collect();
    setup.write(
        "Dockerfile",
        &format!("FROM scratch\nCOPY hello.txt /\n{labels}CMD [\"/hello\"]\n"),
    );
    setup
}

/// Waits for the end of a run whose process does not exit.
fn until_over(setup: &mut Setup, child: &mut Child, id: &str) {
    let began = Instant::now();
    while began.elapsed() < Duration::from_mins(5) {
        let shown = setup.run(&["runs", "show", id, "--output", "json"]);
        if let Ok(shown) = serde_json::from_slice::<Value>(&shown.stdout)
            && shown["pid"].is_null()
            && shown["exit"] == 0
        {
            assert_eq!(child.try_wait().unwrap(), None, "it waits for its reader");
            return;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("the run does not end");
}

#[test]
fn a_run_that_nobody_reads_goes_on_and_all_of_it_is_there_later() {
    let mut setup = with_lines(LINES);
    let run = ["run", "--sandbox", "--run-id", "unread", "--output", "json"];
    let mut child = setup.start(&run);
    until_over(&mut setup, &mut child, "unread");
    let (mut seq, mut lines) = (0, 0);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        seq += 1;
        assert_eq!(event["seq"], seq, "no gap");
        let message = event["data"]["message"].as_str().unwrap_or_default();
        lines += usize::from(message.contains(&format!("LABEL n={lines}")));
    }
    assert_eq!(lines, LINES);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_stuck_reader_does_not_keep_the_process_from_ending() {
    let mut setup = with_lines(1000);
    let run = ["run", "--sandbox", "--run-id", "stuck", "--output", "json"];
    let mut child = setup.start(&run);
    until_over(&mut setup, &mut child, "stuck");
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let mut told = String::new();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut told).unwrap();
    assert!(
        told.contains("The run has ended") && told.contains("sidestep logs stuck"),
        "{told}"
    );
}

#[test]
fn a_run_that_nobody_reads_is_cancelled_and_ends_by_one_signal() {
    // The signal arrives long before the end.
    let mut setup = with_lines(5 * LINES);
    let run = ["run", "--sandbox", "--run-id", "deaf", "--output", "json"];
    let mut child = setup.start(&run);
    // Some thousand lines: more than a pipe can buffer.
    let log = setup
        .folder()
        .join("state/sidestep/runs/deaf/logs/build.1.log");
    let began = Instant::now();
    while std::fs::metadata(&log).map_or(0, |log| log.len()) < 30_000 {
        assert!(began.elapsed() < Duration::from_mins(2), "it says nothing");
        assert_eq!(child.try_wait().unwrap(), None, "it goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let shown = setup.run(&["runs", "show", "deaf", "--output", "json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(shown["state"], "cancelled");
    let left = shown["leftOutside"].as_array().unwrap();
    assert!(
        left.iter().all(|intent| intent["onExit"] == "keep"),
        "{left:?}"
    );
}

#[test]
fn a_reader_that_has_enough_changes_nothing() {
    let mut setup = with_lines(1000);
    let run = ["run", "--sandbox", "--run-id", "head", "--output", "human"];
    let mut child = setup.start(&run);
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    drop(reader);
    assert_eq!(
        child.wait().unwrap().code(),
        Some(0),
        "the run went on to its end"
    );
    let shown = setup.run(&["runs", "show", "head", "--output", "json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(shown["state"], "succeeded");
    assert_eq!(shown["damage"], serde_json::json!([]));
    let left = shown["leftOutside"].as_array().unwrap();
    assert!(
        left.iter().all(|intent| intent["onExit"] == "keep"),
        "{left:?}"
    );

    let mut child = setup.start(&["logs", "head"]);
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut first).unwrap();
    drop(reader);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
