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
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn run(step: &sidestep::Step) -> sidestep::Result<()> {
    /// if step.attempt() > 1 {
    ///     sidestep::info!("retrying");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn attempt(&self) -> u32 {
        runtime::attempt()
    }

    /// Returns whether this attempt was interrupted and is now resumed.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn run(step: &sidestep::Step) -> sidestep::Result<()> {
    /// if step.resumed() {
    ///     sidestep::info!("resuming the build");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn resumed(&self) -> bool {
        runtime::resumed()
    }

    /// Stores what a later incarnation of this attempt needs to resume, replacing
    /// the last checkpoint; at most 64 KiB of JSON.
    ///
    /// # Errors
    ///
    /// If the JSON has more than 64 KiB, or the journal can't be written.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn run(step: &sidestep::Step) -> sidestep::Result<()> {
    /// step.checkpoint(&("pod", 3))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn checkpoint(&self, value: &impl Serialize) -> Result<()> {
        runtime::checkpoint(&serde_json::to_string(value)?).map_err(Error::from)
    }

    /// Returns what [`Step::checkpoint`] stored last, in this incarnation or an
    /// earlier one. Fails if it can't be parsed as a `T`.
    ///
    /// # Errors
    ///
    /// If the stored value can't be parsed as a `T`.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn run(step: &sidestep::Step) -> sidestep::Result<()> {
    /// let done: u32 = step.last_checkpoint()?.unwrap_or_default();
    /// # Ok(())
    /// # }
    /// ```
    pub fn last_checkpoint<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        runtime::last_checkpoint()
            .map(|json| serde_json::from_str(&json))
            .transpose()
            .map_err(|error| Error::from(error).context("reading the last checkpoint"))
    }

    /// Returns whether the step must stop; it has a few seconds to do so.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn run(step: &sidestep::Step) -> sidestep::Result<()> {
    /// while !step.is_cancelled() {
    ///     step.sleep(std::time::Duration::from_secs(1))?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_cancelled(&self) -> bool {
        runtime::is_cancelled()
    }

    /// Waits. A cancellation ends the wait at once, with an error of class `cancelled`.
    ///
    /// # Errors
    ///
    /// With class `cancelled` when the step is cancelled.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn run(step: &sidestep::Step) -> sidestep::Result<()> {
    /// step.sleep(std::time::Duration::from_secs(5))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn sleep(&self, time: Duration) -> Result<()> {
        runtime::sleep(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)).map_err(Error::from)
    }

    /// Returns the time in milliseconds since 1970-01-01T00:00:00Z.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn run(step: &sidestep::Step) -> sidestep::Result<()> {
    /// let started = step.now();
    /// sidestep::info!("took {} ms", step.now() - started);
    /// # Ok(())
    /// # }
    /// ```
    pub fn now(&self) -> u64 {
        runtime::now()
    }

    /// Returns the rest of the step's time, if it has a limit.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn run(step: &sidestep::Step) -> sidestep::Result<()> {
    /// if step.remaining().is_some_and(|left| left.as_secs() < 60) {
    ///     sidestep::warn!("less than a minute is left");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn remaining(&self) -> Option<Duration> {
        runtime::deadline()
            .map(|deadline| Duration::from_millis(deadline.saturating_sub(runtime::now())))
    }

    /// Returns random bytes from the system's generator; at most 64 KiB.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn run(step: &sidestep::Step) -> sidestep::Result<()> {
    /// let nonce = step.random(16);
    /// # Ok(())
    /// # }
    /// ```
    pub fn random(&self, length: u32) -> Vec<u8> {
        runtime::random(length)
    }

    /// Returns a name for an external object: a DNS label that is the same in each
    /// incarnation of this attempt.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn run(step: &sidestep::Step) -> sidestep::Result<()> {
    /// let pod = step.object_name("build");
    /// # Ok(())
    /// # }
    /// ```
    pub fn object_name(&self, purpose: &str) -> String {
        runtime::object_name(purpose)
    }

    /// Opens a group of lines in the log, which closes when the result is dropped.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn run(step: &sidestep::Step) -> sidestep::Result<()> {
    /// let tests = step.group("tests");
    /// sidestep::info!("12 passed");
    /// drop(tests);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "the group closes when this is dropped"]
    pub fn group(&self, title: &str) -> Group {
        runtime::group(title);
        Group(())
    }

    /// Reports the progress of the work.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn run(step: &sidestep::Step) -> sidestep::Result<()> {
    /// step.progress(&sidestep::Progress {
    ///     message: "uploading".to_owned(),
    ///     done: 3,
    ///     total: Some(10),
    ///     unit: "files".to_owned(),
    /// });
    /// # Ok(())
    /// # }
    /// ```
    pub fn progress(&self, progress: &Progress) {
        runtime::progress(progress);
    }

    /// Reports a diagnostic about a place in a file.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn run(step: &sidestep::Step) -> sidestep::Result<()> {
    /// let note = sidestep::Diagnostic::warning("lint.unused", "`x` is never read");
    /// step.annotate(note.in_file("src/main.rs").at(7, 9));
    /// # Ok(())
    /// # }
    /// ```
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
