//! The output of one incarnation so far, and its limits.

use std::time::{Duration, Instant};

use sidestep_events::{Class, Failure, Owner, codes};

/// The minimum interval between reports of the same progress; more frequent ones are dropped.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// The price of a line beside its bytes: its line end. The journal counts its own overhead.
const LINE: u64 = 1;

/// An incarnation's account of its log lines, groups and progress.
pub(crate) struct Talk {
    /// The number of bytes that are left.
    left: u64,
    limit: u64,
    /// The number of open groups.
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

    /// Takes this many bytes of the output that is left.
    ///
    /// Fails with `log.full` if fewer are left.
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
                "the plugin logged more than {} bytes, the limit for one attempt",
                self.limit
            ),
        )
        .with_help("large results belong in an object or an artifact, not in the log")
    }

    pub(crate) fn begin_group(&mut self) {
        self.groups += 1;
    }

    /// Ends a group, and returns whether one was open.
    pub(crate) fn end_group(&mut self) -> bool {
        let left = self.groups.checked_sub(1);
        self.groups = left.unwrap_or(0);
        left.is_some()
    }

    /// Returns whether the same progress was reported a moment ago. Another text is another state,
    /// which may be the last one for hours.
    pub(crate) fn has_just_reported(&self, message: &str) -> bool {
        self.progress
            .as_ref()
            .is_some_and(|(last, text)| last.elapsed() < PROGRESS_EVERY && text == message)
    }

    pub(crate) fn report(&mut self, message: String) {
        self.progress = Some((Instant::now(), message));
    }
}
