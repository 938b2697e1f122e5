//! State shared by all instances of a run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sidestep_events::{Failure, Intent, IntentId};

use crate::leftovers::{Leftover, clean_up};
use crate::recorder::{Recorder, Scope};
use crate::{Cleaner, Executor, RunOptions};

/// State shared by all instances of a run.
pub(crate) struct Shared {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) cleaner: Arc<dyn Cleaner>,
    pub(crate) options: RunOptions,
    left: Mutex<BTreeMap<IntentId, Failure>>,
}

impl Shared {
    pub(crate) fn new(
        recorder: Arc<Recorder>,
        executor: Arc<dyn Executor>,
        cleaner: Arc<dyn Cleaner>,
        options: RunOptions,
    ) -> Self {
        Self {
            recorder,
            executor,
            cleaner,
            options,
            left: Mutex::default(),
        }
    }

    /// Applies `on-exit` to the external objects of the intents that `wanted` picks.
    pub(crate) async fn clean_up(&self, scope: &Scope, wanted: impl Fn(&Intent) -> bool) {
        let (recorder, limit) = (&self.recorder, self.options.cleanup);
        let all = clean_up(recorder, &*self.cleaner, limit, scope, wanted).await;
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        for Leftover { intent, removed } in all {
            match removed {
                Ok(_) => left.remove(&intent.id),
                Err(failure) => left.insert(intent.id, failure),
            };
        }
    }

    /// Returns why objects of the run may still exist: the last failure to remove each.
    pub(crate) fn left(&self) -> Vec<Failure> {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.values().cloned().collect()
    }
}

/// Returns a duration in whole milliseconds, as events hold it.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
