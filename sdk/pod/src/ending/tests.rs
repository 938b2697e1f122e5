//! The table of endings: each row is what a real node does, as the objects that it leaves.

use sidestep::serde::Deserialize;
use sidestep::serde_json::{self, Value};
use sidestep::{Class, codes};

use super::*;
use crate::exit::{Exit, exit};
use crate::work::example::build;

/// A row of `endings.json`. `cause` holds the commands that bring it about on a real cluster, for a
/// replay there; this test reads the recorded states.
#[derive(Deserialize)]
#[serde(crate = "sidestep::serde", deny_unknown_fields)]
struct Row {
    name: String,
    cause: Vec<String>,
    #[serde(default)]
    asked: bool,
    /// The pod's states in their order; `null` where the object was gone.
    states: Vec<Value>,
    /// `built`, or the code.
    code: String,
    class: Option<String>,
}

fn rows() -> Vec<Row> {
    serde_json::from_str(include_str!("../../endings.json")).expect("the table is JSON")
}

fn verdict(row: &Row) -> (String, Option<String>) {
    let work = build();
    let mut seen = Seen::new(work.container);
    for state in row.states.iter().filter(|state| !state.is_null()) {
        seen.state(state);
    }
    seen.end();
    match exit(&seen, row.asked, &work) {
        Ok(Exit::Succeeded(_)) => ("built".to_owned(), None),
        // As kaniko-launch reports a kaniko that printed no error of its own.
        Ok(Exit::Failed(_)) => (
            codes::kaniko::FAILED.to_owned(),
            Some(Class::Failed.as_str().to_owned()),
        ),
        Err(error) => (error.code, Some(error.class.as_str().to_owned())),
    }
}

#[test]
fn every_row_of_the_table_is_blamed_on_the_one_who_ended_the_pod() {
    for row in rows() {
        let expected = (row.code.clone(), row.class.clone());
        assert_eq!(verdict(&row), expected, "{}", row.name);
    }
}

#[test]
fn every_row_can_be_replayed_on_a_real_cluster() {
    let rows = rows();
    for row in &rows {
        assert!(!row.cause.is_empty(), "{} names no commands", row.name);
        let same = rows.iter().filter(|other| other.name == row.name);
        assert_eq!(same.count(), 1, "{} stands twice", row.name);
    }
    for (reason, _) in CONDITIONS {
        let named = |row: &Row| {
            row.states
                .iter()
                .any(|pod| pod.to_string().contains(reason))
        };
        assert!(rows.iter().any(named), "no row shows {reason}");
    }
    for (reason, _) in REASONS {
        let named = |row: &Row| {
            row.states
                .iter()
                .any(|pod| pod["status"]["reason"] == *reason)
        };
        assert!(rows.iter().any(named), "no row shows {reason}");
    }
}

#[test]
fn a_state_that_knows_less_than_the_one_before_takes_nothing_back() {
    for row in rows() {
        let mut again = Row {
            states: row.states.clone(),
            ..row
        };
        // A bare object, as a cache that lags may show it.
        let uid = again.states[0]["metadata"]["uid"].clone();
        again
            .states
            .push(serde_json::json!({ "metadata": { "uid": uid } }));
        let expected = (again.code.clone(), again.class.clone());
        assert_eq!(verdict(&again), expected, "{}", again.name);
    }
}

fn ended_with(code: i64, disruption: &Value) -> Seen {
    let mut seen = Seen::new("main");
    let mut state = serde_json::json!({
        "metadata": { "uid": "u1" },
        "status": { "phase": "Failed", "containerStatuses": [{ "name": "main", "state": {
            "terminated": { "exitCode": code, "finishedAt": "2026-11-30T06:00:10Z" } } }] },
    });
    for (place, value) in disruption.as_object().expect("an object") {
        let (map, key) = place.split_once('.').expect("two names");
        state[map][key] = value.clone();
    }
    seen.state(&state);
    seen.end();
    seen
}

fn drained(time: &str) -> Value {
    serde_json::json!({ "status.conditions": [{
        "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
        "lastTransitionTime": time }] })
}

#[test]
fn a_command_that_a_drain_ended_with_zero_is_not_done() {
    let deleted = |end: &str| {
        serde_json::json!({ "metadata.deletionTimestamp": end,
            "metadata.deletionGracePeriodSeconds": 5 })
    };
    let late = serde_json::json!({ "status.reason": "DeadlineExceeded" });
    for disruption in [
        drained("2026-11-30T06:00:09Z"),
        drained("2026-11-30T06:00:10Z"),
        deleted("2026-11-30T06:00:14Z"),
        late,
    ] {
        let seen = ended_with(0, &disruption);
        let found = ending(&seen, false, Program::Any);
        assert!(
            !matches!(found, Ending::Succeeded(_)),
            "{disruption}: {found:?}"
        );
        let found = ending(&seen, false, Program::Kaniko);
        assert!(
            matches!(found, Ending::Succeeded(_)),
            "{disruption}: {found:?}"
        );
    }
    for disruption in [
        serde_json::json!({}),
        drained("2026-11-30T06:00:11Z"),
        deleted("2026-11-30T06:00:16Z"),
        serde_json::json!({ "status.reason": "Unknown" }),
    ] {
        let seen = ended_with(0, &disruption);
        let found = ending(&seen, false, Program::Any);
        assert!(
            matches!(found, Ending::Succeeded(_)),
            "{disruption}: {found:?}"
        );
    }
}

#[test]
fn a_kill_without_a_reason_is_memory_only_for_kaniko() {
    let seen = ended_with(KILLED, &serde_json::json!({}));
    assert_eq!(ending(&seen, false, Program::Kaniko), Ending::OutOfMemory);
    assert!(matches!(
        ending(&seen, false, Program::Any),
        Ending::Failed(_)
    ));
}
