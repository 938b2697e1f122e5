//! The evidence of an attempt's calls, which supports the plugin's claims about its own failure.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};

use sidestep_events::{Class, Evidence, Failure, Owner, Rule};

/// The evidence of one incarnation's host calls, and the failures that the plugin got from them.
/// Shared with work that runs beside the calls, such as following a pod.
#[derive(Debug, Default)]
pub struct Shown {
    seen: AtomicU16,
    /// By class, code and owner, which are the host's own and therefore few.
    failures: Mutex<HashSet<(Class, String, Owner)>>,
}

impl Shown {
    /// Records this evidence.
    pub fn note(&self, evidence: Evidence) {
        self.seen.fetch_or(bit(evidence), Ordering::Relaxed);
    }

    /// Returns whether there is this evidence.
    pub fn has(&self, evidence: Evidence) -> bool {
        self.seen.load(Ordering::Relaxed) & bit(evidence) != 0
    }

    /// Records a call's failure that is returned to the plugin.
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

    /// Records a missing permission if an answer shows one: the resource was not found, or `lacks`
    /// returns true for the answer.
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

    /// Returns whether the plugin only passes on a call's failure.
    pub(super) fn is_handed_on(&self, failure: &Failure) -> bool {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.contains(&kind(failure))
    }

    /// Returns whether the evidence allows the plugin to claim this rule's failure.
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
