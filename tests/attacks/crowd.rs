//! A hundred hostile attempts beside a hundred honest ones, all at once.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::harness::Arena;

/// The acts of the hostile half, each as many times as there are rounds.
const ACTS: [&str; 10] = [
    "hogs.loop",
    "hogs.memory",
    "hogs.recurse",
    "hogs.sleep",
    "budgets.compose",
    "budgets.annotate",
    "budgets.checkpoint",
    "budgets.log",
    "claims.huge",
    "texts.fail",
];
/// How many instances each half has.
const HALF: usize = 100;
/// Rounds of arithmetic of an honest step: tens of milliseconds alone.
const WORK: u64 = 20_000_000;

fn pipeline() -> String {
    let rounds: Vec<usize> = (0..HALF / ACTS.len()).collect();
    let numbers: Vec<usize> = (0..HALF).collect();
    format!(
        "version: 1\nname: crowd\nsteps:\n  hostile:\n    uses: ./attacker.wasm\n    timeout: 4s\n    \
         matrix: {{ act: {ACTS:?}, n: {rounds:?} }}\n    failFast: false\n    \
         with: {{ act: \"${{{{ matrix.act }}}}\", count: 1000000, texts: [\"\\e]52;c;x\\a\"] }}\n  \
         honest:\n    uses: ./attacker.wasm\n    matrix: {{ n: {numbers:?} }}\n    \
         with: {{ act: honest.compute, count: {WORK} }}\n"
    )
}

#[test]
fn an_interrupt_ends_a_crowd() {
    let mut arena = Arena::new();
    arena.place.write("sidestep.yaml", &pipeline());
    let arguments = ["run", "--max-parallel", "200", "--output", "json"];
    let mut child = arena
        .place
        .command(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut running = 0;
    while running < HALF {
        let line = lines.next().expect("more events").expect("a pipe");
        running += usize::from(line.contains("\"type\":\"attempt-started\""));
    }
    crate::interrupted::signal(&child, "INT");
    let asked = Instant::now();
    let rest: Vec<String> = lines.map(|line| line.expect("a pipe")).collect();
    let mut said = String::new();
    let mut stderr = child.stderr.take().expect("piped");
    stderr.read_to_string(&mut said).expect("a pipe");
    assert_eq!(child.wait().expect("a child").code(), Some(130), "{said}");
    // The grace of a plugin that does not stop is 10 s.
    assert!(asked.elapsed() < Duration::from_mins(2), "{said}");
    assert!(
        rest.iter()
            .any(|line| line.contains("\"type\":\"run-finished\"")),
        "the run has an end"
    );
}
