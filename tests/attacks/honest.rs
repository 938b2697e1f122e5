//! Harmless use is not blocked.

use super::harness::{Arena, Bounds};

#[test]
fn an_honest_step_and_the_next_one_succeed_within_the_bounds() {
    let mut arena = Arena::new();
    arena.attack("act: honest.answer");
    let outcome = arena.run(&["run"], Bounds::default());
    assert_eq!(outcome.code, Some(0), "{outcome}");
    outcome.assert_next_step_ran();
    assert!(outcome.said().contains("arena succeeded"), "{outcome}");
    outcome.assert_hides("attacker.unknown-act");
    let validated = arena.run(&["validate"], Bounds::default());
    assert_eq!(validated.code, Some(0), "{validated}");
}
