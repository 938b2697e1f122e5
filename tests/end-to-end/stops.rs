//! Signals, as shells and CI agents send them.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::interrupted::{pod_runs, signal, until};
use crate::setup::{Setup, find};

const HANGS: [&str; 4] = ["run", "--sandbox=build-hangs", "--output", "json"];

fn rest(child: &mut Child) -> Vec<Value> {
    BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect()
}

/// Returns the same command, started by a shell that runs `script` first.
fn by_shell(command: &Command, script: &str) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", script])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(command.get_current_dir().unwrap())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, value) in command.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    shell
}

#[test]
fn a_stop_that_arrives_at_the_process_and_at_its_group_cleans_up() {
    for (name, code) in [("TERM", 143), ("HUP", 129), ("INT", 130)] {
        let mut setup = Setup::with_application();
        let mut child = setup
            .command(&HANGS)
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        until(&mut child, pod_runs);
        // As `timeout` does: the process, and then at once its group.
        let script = format!("kill -s {name} {0}; kill -s {name} -- -{0}", child.id());
        let sent = Command::new("sh").args(["-c", &script]).status().unwrap();
        assert!(sent.success());
        let events = rest(&mut child);
        assert_eq!(child.wait().unwrap().code(), Some(code), "{name}");
        let cleaned = find(&events, "cleaned-up", |data| data["kind"] == "pod").expect("said");
        assert_eq!(cleaned["removed"], true, "{name}");
        assert_eq!(events.last().unwrap()["type"], "run-finished", "{name}");
    }
}

#[test]
fn an_inherited_ignored_signal_stays_ignored_also_by_the_sandbox() {
    let mut setup = Setup::with_application();
    let command = setup.command(&HANGS);
    // As nohup does for SIGHUP, and a shell for the SIGINT of its background jobs.
    let mut child = by_shell(&command, "trap '' HUP INT; exec \"$0\" \"$@\"")
        .spawn()
        .unwrap();
    until(&mut child, pod_runs);
    signal(&child, "HUP");
    signal(&child, "INT");
    let sandbox = setup.status_of("build-hangs")["live"]["pid"]
        .as_u64()
        .unwrap();
    for pid in [u64::from(child.id()), sandbox] {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let ignored = status
            .lines()
            .find_map(|line| line.strip_prefix("SigIgn:"))
            .unwrap();
        let ignored = u64::from_str_radix(ignored.trim(), 16).unwrap();
        assert_eq!(ignored & 0b11, 0b11, "{pid}: SIGHUP and SIGINT");
    }
    // Signals are delivered in the order of their numbers, and this one has the highest. If the
    // others were not ignored, the run would end with their code.
    signal(&child, "TERM");
    let events = rest(&mut child);
    assert_eq!(child.wait().unwrap().code(), Some(143), "{events:#?}");
    let end = find(&events, "run-finished", |_| true).expect("an end");
    assert_eq!(end["exit"], 143);
}

#[test]
fn a_limit_on_the_size_of_files_never_kills_the_process() {
    let mut setup = Setup::with_application();
    // The sandbox is a separate process, on a disk that is not full.
    assert_eq!(setup.events(&["run", "--sandbox"]).0, 0);
    for blocks in [0, 1, 8, 64] {
        let command = setup.command(&["run", "--sandbox", "--output", "json"]);
        let script = format!("ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let output = by_shell(&command, &script).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        // It exits by itself: the exit code is one of its own, not one of a signal.
        let code = output.status.code();
        assert!(code == Some(1) || code == Some(2), "{blocks}: {output:?}");
        assert!(said.contains("File too large"), "{blocks}: {said}");
    }
}
