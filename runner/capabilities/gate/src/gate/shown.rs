//! What the calls of an attempt showed: the evidence for what its plugin says of its own failure.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};

use sidestep_events::{Class, Evidence, Failure, Owner, Rule};

/// What the host calls of one incarnation showed, and the failures that the plugin got of them.
/// Shared with what goes on beside the calls, such as the following of a pod.
#[derive(Debug, Default)]
pub struct Shown {
    seen: AtomicU16,
    /// By class, code and owner, which are the host's own and therefore few.
    failures: Mutex<HashSet<(Class, String, Owner)>>,
}

impl Shown {
    /// Notes what was shown.
    pub fn note(&self, evidence: Evidence) {
        self.seen.fetch_or(bit(evidence), Ordering::Relaxed);
    }

    /// Whether it was shown.
    pub fn has(&self, evidence: Evidence) -> bool {
        self.seen.load(Ordering::Relaxed) & bit(evidence) != 0
    }

    /// Notes a failure of a call that goes to the plugin.
    pub fn handed_out(&self, failure: &Failure) {
        match failure.class {
            Class::Denied => self.note(Evidence::Denied),
            Class::Unavailable => self.note(Evidence::Unavailable),
            Class::TimedOut => self.note(Evidence::TimedOut),
            Class::Cancelled => self.note(Evidence::Cancelled),
            _ => {}
        }
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.insert(kind(failure));
    }

    /// Notes a missing right where an answer shows one: what was asked about is not there, or
    /// `lacks` says so of it.
    pub fn rights<T>(
        &self,
        answer: Result<T, Failure>,
        lacks: impl FnOnce(&T) -> bool,
    ) -> Result<T, Failure> {
        let missing = match &answer {
            Ok(found) => lacks(found),
            Err(failure) => failure.class == Class::NotFound,
        };
        if missing {
            self.note(Evidence::MissingRight);
        }
        answer
    }

    /// Whether the plugin only hands on what a call answered.
    pub(super) fn is_handed_on(&self, failure: &Failure) -> bool {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.contains(&kind(failure))
    }

    /// Whether the plugin may claim what this rule is about.
    pub(super) fn bears_out(&self, rule: &Rule) -> bool {
        rule.evidence.iter().any(|evidence| self.has(*evidence))
    }
}

fn kind(failure: &Failure) -> (Class, String, Owner) {
    (
        failure.class,
        failure.code.exact().to_owned(),
        failure.owner,
    )
}

fn bit(evidence: Evidence) -> u16 {
    1 << evidence as u16
}
