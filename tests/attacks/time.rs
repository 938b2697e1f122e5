//! Steps that ignore their timeout.

use std::time::Duration;

use super::harness::{Arena, Bounds, Outcome};

fn attack(inputs: &str, keys: &str) -> Outcome {
    let mut arena = Arena::new();
    arena.attack_with(inputs, keys);
    let bounds = Bounds {
        time: Duration::from_mins(3),
        ..Bounds::default()
    };
    let outcome = arena.run(&["run"], bounds);
    outcome.assert_next_step_ran();
    outcome
}

fn assert_timed_out(outcome: &Outcome, message: &str) {
    assert_eq!(outcome.code, Some(5), "{outcome}");
    let said = outcome.said();
    assert!(said.contains(message), "{outcome}");
    assert!(said.contains("step.timed-out"), "{outcome}");
}

#[test]
fn an_answer_after_the_time_is_timed_out() {
    let outcome = attack("act: time.late\ncount: 3000", "timeout: 1s");
    assert_timed_out(&outcome, "timed out after 1 s (ended ");
}

#[test]
fn an_answer_at_the_moment_of_the_time_out_is_timed_out() {
    let outcome = attack("act: time.woken\ncount: 600000", "timeout: 1s");
    assert_timed_out(&outcome, "timed out after 1 s (ended ");
}

#[test]
fn calls_without_end_are_stopped_by_the_time_out() {
    let outcome = attack("act: time.calls", "timeout: 1s");
    assert_timed_out(&outcome, "timed out after 1 s (ended ");
}

#[test]
fn another_reason_after_the_time_does_not_count() {
    let outcome = attack("act: time.excuse\ncount: 600000", "timeout: 1s");
    assert_timed_out(&outcome, "timed out after 1 s (ended ");
    outcome.assert_hides("the cloud was away");
}

#[test]
fn a_deaf_step_is_stopped_after_its_grace() {
    let outcome = attack("act: time.deaf", "timeout: 1s");
    assert_timed_out(&outcome, "timed out after 1 s (stopped ");
    let said = outcome.said();
    let (_, after) = said.split_once("(stopped ").expect("the time");
    let seconds: String = after.chars().take_while(char::is_ascii_digit).collect();
    // The grace is 10 s; a busy machine adds to it.
    assert!(
        seconds.parse::<u32>().is_ok_and(|time| time >= 10),
        "{outcome}"
    );
}

#[test]
fn a_wait_of_ages_before_the_next_attempt_is_cut_to_the_longest_wait() {
    let retry = "retry: { attempts: 2, on: [attacker], delay: 1s, maxDelay: 2s }";
    let outcome = attack("act: time.retry-after", retry);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert!(outcome.time < Duration::from_mins(1), "{outcome}");
}
