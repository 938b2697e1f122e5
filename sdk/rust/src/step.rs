//! The step that runs.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::sidestep::step::runtime;
use crate::{Diagnostic, Error, Result};

/// The step that runs: its try, its time, its memory, its log.
///
/// Only the SDK makes one, and gives it to the plugin's function.
#[derive(Debug)]
pub struct Step(());

impl Step {
    pub(crate) fn new() -> Self {
        Self(())
    }

    /// Which try this is, counted from 1.
    pub fn attempt(&self) -> u32 {
        runtime::attempt()
    }

    /// Whether this attempt was interrupted before and goes on now.
    pub fn resumed(&self) -> bool {
        runtime::resumed()
    }

    /// Stores what a later incarnation of this attempt needs to go on, in place
    /// of what was stored before; at most 64 KiB of JSON.
    pub fn checkpoint(&self, value: &impl Serialize) -> Result<()> {
        runtime::checkpoint(&serde_json::to_string(value)?).map_err(Error::from)
    }

    /// What [`Step::checkpoint`] stored last, in this incarnation or an earlier
    /// one. An error says that it can't be read as a `T`.
    pub fn last_checkpoint<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        runtime::last_checkpoint()
            .map(|json| serde_json::from_str(&json))
            .transpose()
            .map_err(|error| Error::from(error).context("reading the last checkpoint"))
    }

    /// Whether the step is to stop; it has a few seconds to do so.
    pub fn is_cancelled(&self) -> bool {
        runtime::is_cancelled()
    }

    /// Waits. A cancel ends it at once, with an error of class `cancelled`.
    pub fn sleep(&self, time: Duration) -> Result<()> {
        runtime::sleep(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)).map_err(Error::from)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn now(&self) -> u64 {
        runtime::now()
    }

    /// How much of the step's time is left, if it has a limit.
    pub fn remaining(&self) -> Option<Duration> {
        runtime::deadline()
            .map(|deadline| Duration::from_millis(deadline.saturating_sub(runtime::now())))
    }

    /// Random bytes from the system's generator; at most 64 KiB.
    pub fn random(&self, length: u32) -> Vec<u8> {
        runtime::random(length)
    }

    /// A name for an outside object, a DNS label that is the same in each
    /// incarnation of this attempt.
    pub fn object_name(&self, purpose: &str) -> String {
        runtime::object_name(purpose)
    }

    /// Opens a group of lines in the log; it closes when the answer is dropped.
    #[must_use = "the group closes when this is dropped"]
    pub fn group(&self, title: &str) -> Group {
        runtime::group(title);
        Group(())
    }

    /// Says how far the work is.
    pub fn progress(&self, progress: &Progress) {
        runtime::progress(progress);
    }

    /// Marks a place in a file.
    pub fn annotate(&self, note: Diagnostic) {
        runtime::annotate(&note.into());
    }
}

/// How far a piece of work is: what is done, how much, of how much, and what is
/// counted.
pub use crate::bindings::sidestep::step::runtime::ProgressReport as Progress;

/// An open group of lines.
#[derive(Debug)]
pub struct Group(());

impl Drop for Group {
    fn drop(&mut self) {
        runtime::end_group();
    }
}
