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
