//! Runs whose process is killed or terminated, at one point after another.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Lines, Read as _};
use std::process::{Child, ChildStdout, Command};
use std::time::Duration;

use serde_json::Value;

use crate::clients::{client, exports, said};
use crate::interrupted::{pod_runs, signal};
use crate::printed::commands;
use crate::setup::{Setup, find, program};

/// A run whose events are read as they arrive.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    events: Vec<Value>,
}

impl Running {
    pub(crate) fn start(setup: &mut Setup, arguments: &[&str]) -> Self {
        let mut all = arguments.to_vec();
        all.extend(["--output", "json"]);
        Self::of(setup.start(&all))
    }

    /// Reads the events of a process.
    pub(crate) fn of(mut child: Child) -> Self {
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            child,
            lines,
            events: Vec::new(),
        }
    }

    /// Reads up to the first matching event. Returns whether there was one before the end.
    pub(crate) fn until(&mut self, mut wanted: impl FnMut(&Value) -> bool) -> bool {
        while let Some(line) = self.lines.next() {
            let line = line.unwrap();
            let Ok(event) = serde_json::from_str::<Value>(&line) else {
                // A killed process may leave a part of its last line.
                assert!(self.lines.next().is_none(), "{line}");
                return false;
            };
            let found = wanted(&event);
            self.events.push(event);
            if found {
                return true;
            }
        }
        false
    }

    fn run(&self) -> String {
        self.events[0]["run"].as_str().unwrap().to_owned()
    }

    /// Returns the process.
    pub(crate) fn child(&self) -> &Child {
        &self.child
    }

    pub(crate) fn kill(mut self) {
        signal(&self.child, "KILL");
        self.child.wait().unwrap();
    }

    /// Waits for the end. Returns the exit code, all events, and the text on standard error.
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<Value>, String) {
        self.until(|_| false);
        let mut beside = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut beside).unwrap();
        (self.child.wait().unwrap().code(), self.events, beside)
    }
}

pub(crate) fn is_log(event: &Value, text: &str) -> bool {
    event["type"] == "log"
        && event["data"]["message"]
            .as_str()
            .is_some_and(|message| message.contains(text))
}

/// Runs git in the workspace.
fn git(setup: &Setup, arguments: &[&str]) {
    let mut command = Command::new("git");
    command
        .current_dir(setup.workspace())
        .args(["-c", "user.name=A", "-c", "user.email=a@example.com"])
        .args(arguments);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_named_run_of_another_commit_is_not_resumed() {
    let mut setup = Setup::with_application();
    git(&setup, &["init", "--quiet"]);
    git(&setup, &["add", "."]);
    git(&setup, &["commit", "--quiet", "-m", "one"]);
    let arguments = ["run", "--sandbox=build-hangs", "--run-id", "named-run-1"];
    let mut running = Running::start(&mut setup, &arguments);
    assert!(running.until(|event| event["type"] == "attempt-started" && event["step"] == "build"));
    running.kill();
    setup.write("hello.txt", "another\n");
    git(&setup, &["commit", "--quiet", "--all", "-m", "two"]);
    let output = setup.run(&arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("was started with another plan") && said.contains("the commit"),
        "{said}"
    );
}

/// Returns the numbers of the lines that the build wrote, from the run's log.
fn numbers(setup: &mut Setup, run: &str) -> Vec<u32> {
    let output = setup.run(&["logs", run, "build"]);
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.split_once("LABEL n=")?.1.parse().ok())
        .collect()
}

#[test]
fn a_runner_killed_in_a_long_log_has_every_line_once() {
    // They take seconds to write, so that each signal arrives long before the end.
    const LINES: u32 = 20_000;
    let mut setup = Setup::with_application();
    let labels: String = (0..LINES).map(|n| format!("LABEL n={n}\n")).collect();
    setup.write(
        "Dockerfile",
        &format!("FROM scratch\nCOPY hello.txt /\n{labels}CMD [\"/hello\"]\n"),
    );
    let mut run = Running::start(&mut setup, &["run", "--sandbox"]);
    assert!(run.until(|event| is_log(event, "LABEL n=300")), "it ended");
    let id = run.run();
    run.kill();
    let before = numbers(&mut setup, &id);
    assert!(
        before.len() > 200 && before.len() < LINES as usize,
        "{}",
        before.len()
    );
    assert_eq!(before, (0..before.len() as u32).collect::<Vec<_>>());

    // Again, while the run is resumed.
    let mut run = Running::start(&mut setup, &["resume", &id]);
    let next = format!("LABEL n={}", before.len() + 300);
    assert!(run.until(|event| is_log(event, &next)), "it ended");
    run.kill();

    let (exit, events) = setup.events(&["resume", &id]);
    assert_eq!(exit, 0, "{:#?}", events.last());
    assert_eq!(numbers(&mut setup, &id), (0..LINES).collect::<Vec<_>>());
}

/// Selects the event after which the runner is killed.
type Point<'a> = dyn Fn(&Value) -> bool + 'a;

#[test]
fn a_runner_killed_anywhere_builds_once_and_leaves_nothing() {
    let Some(_) = program("kubectl") else { return };
    let of_build = |event: &Value, kind: &str| event["step"] == "build" && event["type"] == kind;
    let points: [(&str, &Point<'_>); 8] = [
        ("begun", &|e| e["type"] == "run-started"),
        ("context-begun", &|e| e["type"] == "attempt-started"),
        ("context-over", &|e| e["type"] == "step-finished"),
        ("build-begun", &|e| of_build(e, "attempt-started")),
        ("created", &|e| {
            of_build(e, "host-call") && e["data"]["function"] == "create"
        }),
        ("log-begun", &|e| {
            of_build(e, "log") && e["data"]["source"] == "pod"
        }),
        ("attempt-over", &|e| of_build(e, "attempt-finished")),
        ("build-over", &|e| of_build(e, "step-finished")),
    ];
    let mut setup = Setup::with_application();
    for (name, point) in points {
        let mut run = Running::start(&mut setup, &["run", "--sandbox", "--run-id", name]);
        assert!(run.until(point), "no such point: {name}");
        run.kill();
        let (exit, events) = setup.events(&["resume", name]);
        assert_eq!(exit, 0, "{name}: {events:#?}");
        let end = find(&events, "run-finished", |_| true).expect("an end");
        assert!(end["outputs"]["image"].is_string(), "{name}: {end}");
    }
    let exports = exports(&mut setup, "healthy");
    let pods = said(&client(
        &setup,
        &exports,
        "kubectl get pods -n builds -o name",
    ));
    assert_eq!(pods, "", "nothing is left");
    let scheduled = "kubectl get events -n builds --field-selector reason=Scheduled -o jsonpath={.items[*].involvedObject.uid}";
    let scheduled = said(&client(&setup, &exports, scheduled));
    let builds: BTreeSet<&str> = scheduled.split_whitespace().collect();
    assert_eq!(
        builds.len(),
        points.len(),
        "each run built once: {scheduled}"
    );
}

#[test]
fn a_runner_killed_before_it_began_can_be_started_again() {
    let mut setup = Setup::with_application();
    let (exit, _) = setup.events(&["run", "--sandbox", "--run-id", "early"]);
    assert_eq!(exit, 0);
    // The files of a run that is killed after writing its journal's header and before its plan.
    let run = setup.workspace().join("../state/sidestep/runs/early");
    let journal = run.join("journal");
    let bytes = std::fs::read(&journal).unwrap();
    let header = 8 + u32::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    std::fs::write(&journal, &bytes[..header]).unwrap();
    std::fs::remove_file(run.join("plan.json")).unwrap();

    let output = setup.run(&["resume", "early"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("before its first step started"), "{told}");
    assert!(told.contains("sidestep run --run-id early"), "{told}");
    let (exit, events) = setup.events(&["run", "--sandbox", "--run-id", "early"]);
    assert_eq!(exit, 0, "{events:#?}");
    assert!(run.join("plan.json").is_file());
}

#[test]
fn a_termination_cancels_or_detaches_as_asked() {
    let mut setup = Setup::with_application();
    let mut run = Running::start(&mut setup, &["run", "--sandbox=build-hangs"]);
    assert!(run.until(pod_runs), "it ended");
    signal(&run.child, "TERM");
    let (exit, events, _) = run.end();
    assert_eq!(exit, Some(143));
    let cleaned = find(&events, "cleaned-up", |data| data["kind"] == "pod").expect("said");
    assert_eq!(cleaned["removed"], true);

    let detach = ["run", "--sandbox=build-hangs", "--on-terminate", "detach"];
    let mut run = Running::start(&mut setup, &detach);
    assert!(run.until(pod_runs), "it ended");
    let id = run.run();
    signal(&run.child, "TERM");
    let (exit, events, beside) = run.end();
    assert_eq!(exit, Some(143), "{beside}");
    assert!(
        find(&events, "cleaned-up", |_| true).is_none(),
        "the pod is left: {events:#?}"
    );
    let told = find(&events, "warning", |data| data["code"] == "run.detached").expect("said");
    assert_eq!(commands(&told["help"]), [format!("sidestep resume {id}")]);

    // The resumed run finds that pod, and the next interrupt removes it.
    let mut run = Running::start(&mut setup, &["resume", &id]);
    assert!(
        run.until(|event| is_log(event, "is already building")),
        "it ended"
    );
    signal(&run.child, "INT");
    let (exit, events, _) = run.end();
    assert_eq!(exit, Some(130));
    let cleaned = find(&events, "cleaned-up", |data| data["kind"] == "pod").expect("said");
    assert_eq!(cleaned["removed"], true);
}

#[test]
fn a_second_signal_ends_it_at_once_and_what_is_left_is_found() {
    let mut setup = Setup::with_application();
    let mut run = Running::start(&mut setup, &["run", "--sandbox=build-hangs"]);
    assert!(run.until(pod_runs), "it ended");
    let id = run.run();
    // The cluster does not answer, so cleaning up is slow.
    let sandbox = setup.status_of("build-hangs")["live"]["pid"].to_string();
    let send = |name: &str| {
        let sent = Command::new("kill").args(["-s", name, &sandbox]).status();
        assert!(sent.unwrap().success());
    };
    send("STOP");
    signal(&run.child, "INT");
    let mut said = String::new();
    let mut stderr = BufReader::new(run.child.stderr.take().unwrap());
    while !said.contains("Cancelling") {
        assert!(stderr.read_line(&mut said).unwrap() > 0, "{said}");
    }
    // Within a second of the first signal, another one counts as the same stop. Repeat until it
    // counts.
    while run.child.try_wait().unwrap().is_none() {
        signal(&run.child, "INT");
        std::thread::sleep(Duration::from_millis(50));
    }
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(run.child.wait().unwrap().code(), Some(130));
    assert!(said.contains("Exited without cleaning up"), "{said}");
    send("CONT");

    let mut run = Running::start(&mut setup, &["resume", &id]);
    assert!(
        run.until(|event| is_log(event, "is already building")),
        "it ended"
    );
    signal(&run.child, "INT");
    let (exit, events, _) = run.end();
    assert_eq!(exit, Some(130));
    let cleaned = find(&events, "cleaned-up", |data| data["kind"] == "pod").expect("said");
    assert_eq!(cleaned["removed"], true);
}
