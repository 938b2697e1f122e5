//! Runs that are resumed under another policy than the one that they were started under.

use serde_json::Value;

use crate::clients::said;
use crate::gc::kill;
use crate::interrupted::{pod_of, pod_runs, signal, until};
use crate::setup::{BUILD_ALONE, Setup, find};

/// A policy that allows everything that the pipeline does.
const POLICY: &str = "version: 1
rules:
- match: { trust: unverified }
  allow:
    workspace: { read: [\"**\"] }
    storage: [{}]
    kubernetes: [{}]
    gke: [{}]
    registry: [{}]
";

fn meets_the_pod(event: &Value) -> bool {
    let message = event["data"]["message"].as_str();
    message.is_some_and(|text| text.contains("is already building"))
}

fn digest(events: &[Value]) -> String {
    let started = find(events, "run-started", |_| true).expect("it starts");
    started["planDigest"].as_str().unwrap().to_owned()
}

#[test]
fn a_run_resumed_under_another_policy_keeps_its_pod_and_removes_it() {
    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", BUILD_ALONE);
    let run = [
        "run",
        "--sandbox=build-hangs",
        "--run-id",
        "kept",
        "--output",
        "json",
    ];
    let mut child = setup.start(&run);
    let begun = until(&mut child, pod_runs);
    kill(child);
    let resume = [
        "resume",
        "kept",
        "--policy",
        "policy.yaml",
        "--output",
        "json",
    ];
    // First the policy is new, then its rules are on another line.
    for policy in [POLICY.to_owned(), format!("# Approved.\n{POLICY}")] {
        setup.write("policy.yaml", &policy);
        let mut child = setup.start(&resume);
        let events = until(&mut child, meets_the_pod);
        assert_eq!(pod_of(&events), pod_of(&begun), "the same pod");
        assert_eq!(digest(&events), digest(&begun), "the same run");
        kill(child);
    }
    let mut child = setup.start(&resume);
    until(&mut child, meets_the_pod);
    signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let rest = String::from_utf8(output.stdout).unwrap();
    let rest: Vec<Value> = rest
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let cleaned = find(&rest, "cleaned-up", |data| data["kind"] == "pod").expect("it is said");
    assert_eq!(cleaned["removed"], true, "{cleaned}");
}

#[test]
fn objects_created_under_another_policy_are_found_after_a_crash() {
    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", BUILD_ALONE);
    let run = [
        "run",
        "--sandbox=build-hangs",
        "--run-id",
        "found",
        "--output",
        "json",
    ];
    let mut child = setup.start(&run);
    until(&mut child, |event| event["type"] == "attempt-started");
    kill(child);
    setup.write("policy.yaml", POLICY);
    let resume = [
        "resume",
        "found",
        "--policy",
        "policy.yaml",
        "--output",
        "json",
    ];
    let mut child = setup.start(&resume);
    let pod = pod_of(&until(&mut child, pod_runs));
    kill(child);
    let swept = said(&setup.run(&["gc", "--sandbox=build-hangs"]));
    assert!(swept.contains(&format!("removed: pod {pod}")), "{swept}");
}
