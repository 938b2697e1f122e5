//! A stopped run, and a killed run.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command};

use serde_json::Value;

use crate::setup::{Setup, find};

/// Reads events until `choose` accepts one, and returns all events read.
pub(crate) fn until(child: &mut Child, choose: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut events = Vec::new();
    for line in BufReader::new(child.stdout.as_mut().unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let chosen = choose(&event);
        events.push(event);
        if chosen {
            return events;
        }
    }
    panic!("the run ended before: {events:#?}");
}

pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

pub(crate) fn pod_runs(event: &Value) -> bool {
    event["type"] == "progress" && event["data"]["label"] == "pod Running"
}

#[test]
fn an_interrupt_removes_the_pod_and_says_so() {
    let mut setup = Setup::with_application();
    let mut child = setup.start(&["run", "--sandbox=build-hangs", "--output", "json"]);
    until(&mut child, pod_runs);
    signal(&child, "INT");
    let mut rest = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        rest.push(serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let cleaned = find(&rest, "cleaned-up", |data| data["kind"] == "pod").expect("said");
    assert_eq!(cleaned["removed"], true);
    let end = find(&rest, "run-finished", |_| true).expect("an end");
    assert_eq!(end["exit"], 130);
}

#[test]
fn a_killed_run_goes_on_with_the_same_pod() {
    let mut setup = Setup::with_application();
    let mut child = setup.start(&["run", "--sandbox=image-pull-heals", "--output", "json"]);
    let before = until(&mut child, |event| {
        event["type"] == "log"
            && event["data"]["message"]
                .as_str()
                .is_some_and(|m| m.contains("ErrImagePull"))
    });
    signal(&child, "KILL");
    child.wait().unwrap();
    let run = before[0]["run"].as_str().unwrap().to_owned();
    let pod = pod_of(&before);

    let (exit, after) = setup.events(&["resume", &run]);
    assert_eq!(exit, 0, "{after:#?}");
    assert_eq!(pod_of(&after), pod, "the same pod");
    let said = find(&after, "log", |data| {
        data["message"]
            .as_str()
            .is_some_and(|m| m.contains("is already building"))
    });
    assert!(said.is_some(), "it goes on with the pod that it finds");
    let sent = find(&after, "host-call", |data| data["function"] == "put");
    assert!(sent.is_none(), "the finished step is not run again");
    // The numbering continues after the last event of the killed process.
    let last = before.last().unwrap()["seq"].as_u64().unwrap();
    assert!(after[0]["seq"].as_u64().unwrap() > last);
}

/// Returns the pod's name, from the line that says where the build runs.
pub(crate) fn pod_of(events: &[Value]) -> String {
    let line = find(events, "log", |data| {
        data["message"]
            .as_str()
            .is_some_and(|m| m.contains("builds/ss-"))
    });
    let text = line.expect("the pod is named")["message"]
        .as_str()
        .unwrap()
        .to_owned();
    text.split_whitespace()
        .find(|word| word.starts_with("builds/ss-"))
        .unwrap()
        .to_owned()
}
