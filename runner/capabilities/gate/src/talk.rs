//! What one incarnation has said so far, and what more it may say.

use std::time::{Duration, Instant};

use sidestep_events::{Class, Failure, Owner, codes};

/// Reports of the same progress that come faster are dropped.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// What a line costs beside its bytes: its end. What the journal has of it is counted there.
const LINE: u64 = 1;

/// An incarnation's account of its log lines, groups and progress.
pub(crate) struct Talk {
    /// How many more bytes may be said.
    left: u64,
    limit: u64,
    /// How many groups are open.
    groups: u32,
    /// The last progress that was reported, and when.
    progress: Option<(Instant, String)>,
}

impl Talk {
    pub(crate) fn new(log_bytes: u64) -> Self {
        Self {
            left: log_bytes,
            limit: log_bytes,
            groups: 0,
            progress: None,
        }
    }

    /// Takes so many bytes of what may be said.
    ///
    /// Fails with `log.full` when so many are not left.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Failure> {
        let left = self.left.checked_sub(bytes as u64 + LINE);
        self.left = left.ok_or_else(|| self.full())?;
        Ok(())
    }

    fn full(&self) -> Failure {
        Failure::new(
            Class::Exhausted,
            codes::log::FULL,
            Owner::Plugin,
            format!(
                "the plugin said more than {} bytes, all that it may say in one attempt",
                self.limit
            ),
        )
        .with_help("large results belong in an object or an artifact, not in the log")
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
