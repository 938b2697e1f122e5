use std::sync::{Arc, Mutex, PoisonError};

use sidestep_events::{Exit, Failure};
use tokio_util::sync::CancellationToken;

/// Why a run is stopped before its end.
#[derive(Debug, Clone, PartialEq)]
pub enum StopReason {
    /// A signal, or `sidestep cancel`: the exit code that it ends with, and whether what was made
    /// outside is left for whoever resumes.
    Asked {
        /// [`Exit::Interrupted`], [`Exit::Terminated`], [`Exit::Hangup`] or [`Exit::Cancelled`].
        exit: Exit,
        /// Leave pods and write the journal, instead of cancelling.
        detach: bool,
    },
    /// The run's time is up.
    TimedOut,
    /// The run can't be recorded any more, so it can't go on.
    Broken(Failure),
}

/// Stops a run. Clones stop the same run; the first reason holds.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    token: CancellationToken,
    reason: Arc<Mutex<Option<StopReason>>>,
}

impl Stop {
    /// A run that nobody has stopped yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the run, unless it is stopped already.
    pub fn stop(&self, reason: StopReason) {
        self.lock().get_or_insert(reason);
        self.token.cancel();
    }

    /// Why the run was stopped, if it was.
    pub fn reason(&self) -> Option<StopReason> {
        self.lock().clone()
    }

    /// Cancelled as soon as the run is stopped.
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
