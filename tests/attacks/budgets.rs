//! The host's memory and disk, consumed call by call.

use std::time::Duration;

use super::harness::{Arena, Bounds, Outcome};

/// Room for a journal and logs of 4 MiB each, and a run's other files.
const DISK: u64 = 12 << 20;

fn bounds() -> Bounds {
    Bounds {
        disk: DISK,
        time: Duration::from_mins(3),
        ..Bounds::default()
    }
}

/// Runs the attack with limits of 4 MiB for the journal and 16 MiB for the logs, of which a step
/// may use a quarter.
fn attack(inputs: &str, keys: &str, bounds: Bounds) -> Outcome {
    let mut arena = Arena::new();
    arena.attack_with(inputs, keys);
    let mut command = arena.setup.command(&["run"]);
    command
        .env("SIDESTEP_JOURNAL_LIMIT", "4Mi")
        .env("SIDESTEP_LOG_LIMIT", "16Mi");
    let outcome = arena.run_command(command, bounds);
    outcome.assert_next_step_ran();
    outcome
}

/// Asserts that the step failed with this code, that the next one ran, and that the user sees the
/// reason.
fn assert_failed(outcome: &Outcome, code: &str, message: &str) {
    assert_eq!(outcome.code, Some(1), "{outcome}");
    let said = outcome.said();
    assert!(said.contains(code) && said.contains(message), "{outcome}");
}

#[test]
fn a_secret_that_is_doubled_without_end_stays_small() {
    let outcome = attack("act: budgets.double", "", bounds());
    let message = "of the host's memory; a step has 64 MiB for its calls";
    assert_failed(&outcome, "limit.host-memory", message);
}

#[test]
fn a_handle_in_many_parts_is_counted_before_it_is_copied() {
    let outcome = attack("act: budgets.many-handles\ncount: 4096", "", bounds());
    let message = "`compose` would take";
    assert_failed(&outcome, "limit.host-memory", message);
}

#[test]
fn secrets_that_the_masks_must_know_are_bounded() {
    let outcome = attack("act: budgets.keep-secrets", "", bounds());
    assert_failed(
        &outcome,
        "limit.host-memory",
        "stay in use until the plugin ends",
    );
}

#[test]
fn follows_with_large_patterns() {
    let cluster = "projects/demo/locations/europe-west1/clusters/ci";
    let scope = format!(
        "{{ cluster: {cluster}, namespace: builds, resources: [pods, pods/log], actions: [get, watch] }}"
    );
    let mut arena = Arena::new();
    arena.attack_with(
        &format!("act: budgets.follows\ntexts: [{cluster}]\nkubernetes: [{scope}]"),
        &format!("grants: {{ kubernetes: [{scope}] }}"),
    );
    let outcome = arena.run(&["run", "--sandbox"], bounds());
    outcome.assert_next_step_ran();
    assert_failed(&outcome, "limit.host-memory", "belong to its handles");
}

#[test]
fn annotations_without_end_fill_no_more_than_the_journals_share() {
    let outcome = attack("act: budgets.annotate", "", bounds());
    let message = "the step's share of the run's journal is full: at most 1048576 bytes are kept";
    assert_failed(&outcome, "journal.full", message);
    assert!(outcome.said().contains("journalLimit"), "{outcome}");
}

#[test]
fn checkpoints_without_end_fill_no_more_than_the_journals_share() {
    let outcome = attack("act: budgets.checkpoint", "", bounds());
    assert_failed(
        &outcome,
        "journal.full",
        "the step's share of the run's journal",
    );
}

#[test]
fn groups_without_end_fill_no_more_than_the_journals_share() {
    let outcome = attack("act: budgets.groups", "", bounds());
    assert_failed(
        &outcome,
        "journal.full",
        "the step's share of the run's journal",
    );
}

#[test]
fn lines_without_end_fill_no_more_than_the_logs_share() {
    let outcome = attack("act: budgets.lines\ncount: 4000", "", bounds());
    let message = "the step's share of the run's log files is full: at most 4194304 bytes are kept";
    assert_failed(&outcome, "log.full", message);
}

#[test]
fn empty_lines_without_end_fill_no_more_than_the_journals_share() {
    let outcome = attack("act: budgets.lines\ncount: 0", "", bounds());
    assert_failed(
        &outcome,
        "journal.full",
        "the step's share of the run's journal",
    );
}

#[test]
fn one_annotation_of_many_mebibytes_is_cut_and_stops_nothing() {
    let outcome = attack("act: budgets.annotate-once\ncount: 15000000", "", bounds());
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert!(outcome.said().contains("bytes more)"), "{outcome}");
}

#[test]
fn fields_that_no_record_could_hold_are_left_out_and_stop_nothing() {
    let outcome = attack("act: budgets.fields", "", bounds());
    assert_eq!(outcome.code, Some(0), "{outcome}");
}

#[test]
fn a_failure_of_many_mebibytes_is_cut() {
    let outcome = attack("act: budgets.failure\ncount: 4000000", "", bounds());
    assert_failed(&outcome, "", "bytes more)");
    assert!(outcome.said().len() < 1 << 20, "{}", outcome.said().len());
}

#[test]
fn names_of_many_mebibytes_are_recorded_cut() {
    let outcome = attack(
        "act: budgets.target\ncount: 4000000\nworkspace: [{ read: [\"**\"] }]",
        "grants: { workspace: { read: [\"**\"] } }",
        bounds(),
    );
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert!(outcome.disk < 4 << 20, "{outcome}");
}
