//! The running step.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::sidestep::step::runtime;
use crate::{Diagnostic, Error, Result};

/// The running step: its attempt, its time, its checkpoints and its log.
///
/// Only the SDK creates it, and passes it to the plugin's function.
#[derive(Debug)]
pub struct Step(());

impl Step {
    pub(crate) fn new() -> Self {
        Self(())
    }

    /// Returns the number of this attempt, counted from 1.
    pub fn attempt(&self) -> u32 {
        runtime::attempt()
    }

    /// Returns whether this attempt was interrupted and is now resumed.
    pub fn resumed(&self) -> bool {
        runtime::resumed()
    }

    /// Stores what a later incarnation of this attempt needs to resume, replacing
    /// the last checkpoint; at most 64 KiB of JSON.
    pub fn checkpoint(&self, value: &impl Serialize) -> Result<()> {
        runtime::checkpoint(&serde_json::to_string(value)?).map_err(Error::from)
    }

    /// Returns what [`Step::checkpoint`] stored last, in this incarnation or an
    /// earlier one. Fails if it can't be parsed as a `T`.
    pub fn last_checkpoint<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        runtime::last_checkpoint()
            .map(|json| serde_json::from_str(&json))
            .transpose()
            .map_err(|error| Error::from(error).context("reading the last checkpoint"))
    }

    /// Returns whether the step must stop; it has a few seconds to do so.
    pub fn is_cancelled(&self) -> bool {
        runtime::is_cancelled()
    }

    /// Waits. A cancellation ends the wait at once, with an error of class `cancelled`.
    pub fn sleep(&self, time: Duration) -> Result<()> {
        runtime::sleep(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)).map_err(Error::from)
    }

    /// Returns the time in milliseconds since 1970-01-01T00:00:00Z.
    pub fn now(&self) -> u64 {
        runtime::now()
    }

    /// Returns the rest of the step's time, if it has a limit.
    pub fn remaining(&self) -> Option<Duration> {
        runtime::deadline()
            .map(|deadline| Duration::from_millis(deadline.saturating_sub(runtime::now())))
    }

    /// Returns random bytes from the system's generator; at most 64 KiB.
    pub fn random(&self, length: u32) -> Vec<u8> {
        runtime::random(length)
    }

    /// Returns a name for an external object: a DNS label that is the same in each
    /// incarnation of this attempt.
    pub fn object_name(&self, purpose: &str) -> String {
        runtime::object_name(purpose)
    }

    /// Opens a group of lines in the log, which closes when the result is dropped.
    #[must_use = "the group closes when this is dropped"]
    pub fn group(&self, title: &str) -> Group {
        runtime::group(title);
        Group(())
    }

    /// Reports the progress of the work.
    pub fn progress(&self, progress: &Progress) {
        runtime::progress(progress);
    }

    /// Reports a diagnostic about a place in a file.
    pub fn annotate(&self, note: Diagnostic) {
        runtime::annotate(&note.into());
    }
}

/// The progress of a piece of work: the current action, the amount done, the total
/// and the unit.
pub use crate::bindings::sidestep::step::runtime::ProgressReport as Progress;

/// An open group of lines.
#[derive(Debug)]
pub struct Group(());

impl Drop for Group {
    fn drop(&mut self) {
        runtime::end_group();
    }
}
