use std::sync::{Arc, Mutex, PoisonError};

use sidestep_events::{Exit, Failure};
use tokio_util::sync::CancellationToken;

/// The reason why a run is stopped before its end.
#[derive(Debug, Clone, PartialEq)]
pub enum StopReason {
    /// A signal or `sidestep cancel` asked for it.
    Asked {
        /// The exit code: [`Exit::Interrupted`], [`Exit::Terminated`], [`Exit::Hangup`] or
        /// [`Exit::Cancelled`].
        exit: Exit,
        /// Whether to detach instead of cancelling: pods are left in place for a resumed run.
        detach: bool,
    },
    /// The run's timeout expired.
    TimedOut,
    /// The run can't be recorded any more, so it can't continue.
    Broken(Failure),
}

/// Stops a run. Clones stop the same run; the first reason is kept.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    token: CancellationToken,
    reason: Arc<Mutex<Option<StopReason>>>,
}

impl Stop {
    /// Creates the handle of a run that is not stopped.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the run, unless it is stopped already.
    pub fn stop(&self, reason: StopReason) {
        self.lock().get_or_insert(reason);
        self.token.cancel();
    }

    /// Returns why the run was stopped, if it was.
    pub fn reason(&self) -> Option<StopReason> {
        self.lock().clone()
    }

    /// Returns the token that is cancelled as soon as the run is stopped.
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    pub(crate) fn detaches(&self) -> bool {
        matches!(self.reason(), Some(StopReason::Asked { detach: true, .. }))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<StopReason>> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
