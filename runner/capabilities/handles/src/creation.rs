//! The failure of an attempt to create an external object, and whether the object may exist.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sidestep_events::{Class, Failure};

/// The failure of a creation, and whether the object may exist all the same.
///
/// There is no conversion from a [`Failure`]: the code that sends the requests has to decide,
/// because a failure alone does not show it. A `not-found` can come from a read after the object
/// was created.
#[derive(Debug, Clone, PartialEq)]
pub struct NotCreated {
    /// The failure.
    pub failure: Failure,
    /// Whether the object may exist.
    may_exist: bool,
}

impl NotCreated {
    /// Returns the failure of a creation that sent no request, or whose every request was refused.
    pub fn certainly(failure: Failure) -> Self {
        Self {
            failure,
            may_exist: false,
        }
    }

    /// Returns the failure of a creation of which a request may have been carried out.
    pub fn perhaps(failure: Failure) -> Self {
        Self {
            failure,
            may_exist: true,
        }
    }

    /// Replaces the failure with that of a later read, which proves nothing about the object.
    #[must_use]
    pub fn or(self, failure: Failure) -> Self {
        Self { failure, ..self }
    }

    /// Returns whether the object may exist.
    pub fn may_exist(&self) -> bool {
        self.may_exist
    }
}

/// The requests of one creation: records whether one of them may have been carried out.
#[derive(Debug, Clone, Default)]
pub struct Sends(Arc<AtomicBool>);

impl Sends {
    /// Records that the answer to a request was lost, or does not show whether it was carried out.
    pub fn lost(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Records the failure of a request: everything but a refusal may have been carried out.
    pub fn failed(&self, failure: &Failure) {
        if !is_refusal(failure.class) {
            self.lost();
        }
    }

    /// Returns the failure of the creation that ends with the failure of a request.
    pub fn not_created(&self, failure: Failure) -> NotCreated {
        self.failed(&failure);
        self.not_sent(failure)
    }

    /// Returns the failure of the creation that ends before a further request is sent.
    pub fn not_sent(&self, failure: Failure) -> NotCreated {
        NotCreated {
            failure,
            may_exist: self.0.load(Ordering::Relaxed),
        }
    }
}

/// Returns whether a server answers with this class only if it has not carried out the request.
fn is_refusal(class: Class) -> bool {
    matches!(
        class,
        Class::InvalidInput | Class::Refused | Class::Denied | Class::NotFound | Class::Conflict
    )
}

#[cfg(test)]
mod tests {
    use sidestep_events::Owner;

    use super::*;

    fn failure(class: Class) -> Failure {
        Failure::new(class, "x.y", Owner::Cloud, "no")
    }

    #[test]
    fn a_refusal_after_a_lost_answer_proves_nothing() {
        let sends = Sends::default();
        assert!(!sends.not_created(failure(Class::Denied)).may_exist());
        sends.failed(&failure(Class::Unavailable));
        let refused = sends.not_created(failure(Class::Conflict));
        assert!(refused.may_exist());
        assert!(refused.or(failure(Class::Denied)).may_exist());
        assert!(sends.not_sent(failure(Class::InvalidInput)).may_exist());
    }

    #[test]
    fn only_a_refusal_proves_that_nothing_exists() {
        for (class, may_exist) in [
            (Class::InvalidInput, false),
            (Class::NotFound, false),
            (Class::Unavailable, true),
            (Class::TimedOut, true),
            (Class::Failed, true),
        ] {
            let sends = Sends::default();
            assert_eq!(
                sends.not_created(failure(class)).may_exist(),
                may_exist,
                "{class}"
            );
        }
    }
}
