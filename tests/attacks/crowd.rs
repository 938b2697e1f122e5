//! A hundred hostile steps beside a hundred honest ones, all at once.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::harness::{Arena, Bounds};

/// The acts of the hostile half, each repeated once per round.
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
/// The number of instances in each half.
const HALF: usize = 100;
/// Rounds of arithmetic in an honest step: tens of milliseconds without other load.
const WORK: u64 = 20_000_000;

const BOUNDS: Bounds = Bounds {
    memory: 2 << 30,
    time: Duration::from_mins(5),
    disk: 1 << 30,
};

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

/// Returns how each instance of a step ended, by its name.
fn ends(stdout: &str, step: &str) -> BTreeMap<String, String> {
    let events = stdout.lines().map(|line| {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    });
    events
        .filter(|event| event["type"] == "step-finished" && event["step"] == step)
        .map(|event| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (text(&event["instance"]), text(&event["data"]["status"]))
        })
        .collect()
}

/// Returns the messages of the honest steps that failed.
fn failures(stdout: &str) -> String {
    let honest =
        |line: &&str| line.contains(r#""step":"honest""#) && line.contains(r#""failure":{"#);
    stdout.lines().filter(honest).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_honest_step_succeeds_beside_a_hundred_hostile_ones() {
    let mut arena = Arena::new();
    arena.setup.write("sidestep.yaml", &pipeline());
    let arguments = ["run", "--max-parallel", "200", "--output", "json"];
    // By default, all steps share half of the machine's memory, whatever its size.
    let mut command = arena.setup.command(&arguments);
    command.env("SIDESTEP_MEMORY", "1Gi");
    let outcome = arena.run_command(command, BOUNDS);
    let honest = ends(&outcome.stdout, "honest");
    assert_eq!(honest.len(), HALF, "{outcome}");
    let failed: Vec<_> = honest
        .iter()
        .filter(|(_, status)| *status != "succeeded")
        .collect();
    assert!(
        failed.is_empty(),
        "{failed:?}: {}",
        failures(&outcome.stdout)
    );
    let hostile = ends(&outcome.stdout, "hostile");
    assert_eq!(hostile.len(), HALF, "each has an end: {hostile:?}");
    let contained = |act: &str| {
        hostile
            .iter()
            .filter(|(instance, _)| instance.contains(act))
            .all(|(_, status)| status == "failed" || status == "timed-out")
    };
    for act in ["hogs.loop", "hogs.memory", "hogs.recurse", "hogs.sleep"] {
        assert!(contained(act), "{act}: {hostile:?}");
    }
    assert!(
        matches!(outcome.code, Some(1 | 5)),
        "a step's own failure, never the runner's: {outcome}"
    );
}

#[test]
fn an_interrupt_ends_a_crowd() {
    let mut arena = Arena::new();
    arena.setup.write("sidestep.yaml", &pipeline());
    let arguments = ["run", "--max-parallel", "200", "--output", "json"];
    let mut child = arena
        .setup
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
    // A plugin that does not stop has a grace period of 10 s.
    assert!(asked.elapsed() < Duration::from_mins(2), "{said}");
    assert!(
        rest.iter()
            .any(|line| line.contains("\"type\":\"run-finished\"")),
        "the run has an end"
    );
}
