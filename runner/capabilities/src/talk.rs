//! What one incarnation has said so far, and what more it may say.

use std::time::{Duration, Instant};

/// Reports of the same progress that come faster are dropped.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// What a line costs beside its bytes: an empty one costs something too.
const LINE: u64 = 64;

/// An incarnation's account of its log lines, groups and progress.
pub(crate) struct Talk {
    /// How many more bytes may be said.
    left: u64,
    full: bool,
    /// How many groups are open.
    groups: u32,
    /// The last progress that was reported, and when.
    progress: Option<(Instant, String)>,
}

impl Talk {
    pub(crate) fn new(log_bytes: u64) -> Self {
        Self {
            left: log_bytes,
            full: false,
            groups: 0,
            progress: None,
        }
    }

    /// Whether so many more bytes may be said; they are taken then.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let left = self.left.checked_sub(bytes as u64 + LINE);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }

    /// Whether it is to be told that nothing more may be said: once.
    pub(crate) fn is_newly_full(&mut self) -> bool {
        !std::mem::replace(&mut self.full, true)
    }

    pub(crate) fn begin_group(&mut self) {
        self.groups += 1;
    }

    /// Whether there was a group to end.
    pub(crate) fn end_group(&mut self) -> bool {
        let left = self.groups.checked_sub(1);
        self.groups = left.unwrap_or(0);
        left.is_some()
    }

    /// Whether the same was reported a moment ago. Another text is another state, which may be the
    /// last one for hours.
    pub(crate) fn has_just_reported(&self, message: &str) -> bool {
        self.progress
            .as_ref()
            .is_some_and(|(last, text)| last.elapsed() < PROGRESS_EVERY && text == message)
    }

    pub(crate) fn report(&mut self, message: String) {
        self.progress = Some((Instant::now(), message));
    }
}
