//! The warnings of the cluster that were logged, so that each is logged once.
//!
//! Kubernetes increments the count of repeated events, and a resumed step sees the old ones again.

use std::collections::BTreeSet;

use sidestep::serde::{Deserialize, Serialize};

/// The most warnings that are remembered, and the most characters of each: a checkpoint holds 64
/// KiB.
const MOST: usize = 100;
const LONGEST: usize = 400;

/// The warnings that were logged, in this incarnation of the step or an earlier one.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(crate = "sidestep::serde", transparent)]
pub(crate) struct Told(BTreeSet<String>);

impl Told {
    /// Notes a warning. Returns whether it is new.
    pub(crate) fn note(&mut self, reason: &str, message: &str) -> bool {
        let warning: String = format!("{reason}: {message}")
            .chars()
            .take(LONGEST)
            .collect();
        if self.0.contains(&warning) {
            return false;
        }
        if self.0.len() < MOST {
            self.0.insert(warning);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json;

    use super::*;

    #[test]
    fn a_warning_is_told_once_also_by_the_next_incarnation() {
        let mut told = Told::default();
        assert!(told.note("Failed", "no such host"));
        assert!(told.note("BackOff", "no such host"));
        assert!(!told.note("Failed", "no such host"));
        let stored = serde_json::to_string(&told).expect("JSON");
        let mut next: Told = serde_json::from_str(&stored).expect("what was stored");
        assert!(!next.note("BackOff", "no such host"));
        assert!(next.note("BackOff", "another"));
    }

    #[test]
    fn what_is_remembered_fits_into_a_checkpoint() {
        let mut told = Told::default();
        for number in 0..1000 {
            told.note("Failed", &format!("{number}{}", "x".repeat(10_000)));
        }
        let stored = serde_json::to_string(&told).expect("JSON");
        assert!(stored.len() < 64 * 1024, "{}", stored.len());
    }
}
