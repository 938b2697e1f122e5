//! What all instances of a run share.

use std::sync::Arc;
use std::time::Duration;

use crate::recorder::Recorder;
use crate::{Cleaner, Executor, RunOptions};

/// What all instances of a run share.
pub(crate) struct Shared {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) cleaner: Arc<dyn Cleaner>,
    pub(crate) options: RunOptions,
}

/// As events have a duration.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
