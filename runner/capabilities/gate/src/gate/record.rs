//! The record of a call.

use std::time::Instant;

use sidestep_events::{Event, Failure, HostCall, codes, cut};

use crate::StepContext;

/// The maximum length of a recorded target, in bytes: a plugin may name any.
const MAX_TARGET: usize = 1 << 10;

/// Sends the call's event when the call ends, also when its future is dropped.
pub(super) struct Recorder<'g> {
    step: &'g StepContext,
    began: Instant,
    call: HostCall,
}

impl<'g> Recorder<'g> {
    pub(super) fn new(
        step: &'g StepContext,
        capability: &str,
        function: &str,
        target: String,
    ) -> Self {
        Self {
            step,
            began: Instant::now(),
            call: HostCall {
                capability: capability.into(),
                function: function.into(),
                target: cut(&step.masks.text(&target), MAX_TARGET).into(),
                allowed: false,
                // Recorded if the Store is dropped before there is an answer.
                code: Some(codes::call::INTERRUPTED.into()),
                duration_us: 0,
            },
        }
    }

    pub(super) fn allowed(&mut self) {
        self.call.allowed = true;
    }

    pub(super) fn succeeded(&mut self) {
        self.call.code = None;
    }

    /// Records that the call ended with this failure, and returns the failure masked.
    pub(super) fn failed(&mut self, failure: Failure) -> Failure {
        let failure = self.step.masks.failure(failure);
        self.call.code = Some(failure.code.clone());
        failure
    }
}

impl Drop for Recorder<'_> {
    fn drop(&mut self) {
        let duration_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.step.emit(Event::HostCall(HostCall {
            duration_us,
            ..self.call.clone()
        }));
    }
}
