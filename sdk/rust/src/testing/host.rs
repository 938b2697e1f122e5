//! The host of a test.

use std::rc::Rc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::state::{Running, State};
use crate::{Check, Diagnostic, Progress, Result, Step, plugin};

/// Answers the calls of a step, and keeps what it does.
///
/// The functions with the names of capabilities set answers; see the [module](crate::testing).
#[derive(Debug, Clone)]
pub struct Host {
    state: Rc<State>,
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

impl Host {
    /// Returns a host without answers, for the first attempt of a step that has no time limit.
    ///
    /// # Examples
    ///
    /// ```
    /// let host = sidestep::testing::Host::new();
    /// assert!(host.calls().is_empty());
    /// ```
    pub fn new() -> Self {
        Self {
            state: Rc::new(State::new()),
        }
    }

    /// Runs a plugin's function with the inputs that a pipeline would pass: a JSON object.
    ///
    /// # Errors
    ///
    /// The function's own error, or `inputs.invalid` if the inputs do not fit.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::{Step, serde_json::json, testing::Host};
    ///
    /// fn run(_: &Step, name: String) -> sidestep::Result<String> {
    ///     Ok(format!("Hello, {name}!"))
    /// }
    ///
    /// assert_eq!(Host::new().run(run, json!("Ada"))?, "Hello, Ada!");
    /// # Ok::<(), sidestep::Error>(())
    /// ```
    pub fn run<I: DeserializeOwned, O>(
        &self,
        body: fn(&Step, I) -> Result<O>,
        inputs: Value,
    ) -> Result<O> {
        let inputs = plugin::read(&inputs.to_string())?;
        self.step(|step| body(step, inputs))
    }

    /// Runs a part of a plugin, which may call capabilities.
    ///
    /// # Examples
    ///
    /// ```
    /// let host = sidestep::testing::Host::new();
    /// host.step(|_| sidestep::info!("packed"));
    /// assert_eq!(host.log(), ["info: packed"]);
    /// ```
    pub fn step<T>(&self, body: impl FnOnce(&Step) -> T) -> T {
        let _running = Running::start(&self.state);
        body(&Step::new())
    }

    /// Runs a plugin's check with inputs as [`Host::run`] does. As in the runner, a check whose
    /// required inputs are absent finds nothing, and calls of other capabilities than `workspace` fail.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::{Check, Diagnostic, serde_json::json, testing::Host};
    ///
    /// fn check(_: &Check, name: String) -> Vec<Diagnostic> {
    ///     let empty = || Diagnostic::error("greet.name", "the name is empty");
    ///     name.is_empty().then(empty).into_iter().collect()
    /// }
    ///
    /// assert_eq!(Host::new().check(check, json!(""))[0].code, "greet.name");
    /// ```
    pub fn check<I: DeserializeOwned>(
        &self,
        body: fn(&Check, I) -> Vec<Diagnostic>,
        inputs: Value,
    ) -> Vec<Diagnostic> {
        let _running = Running::start(&self.state);
        let _check = Checking::start(&self.state);
        plugin::checked(&inputs.to_string(), body)
    }

    /// Returns the calls of capabilities so far, in their order, as Rust shows them.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::{testing::Host, workspace};
    ///
    /// let host = Host::new();
    /// host.workspace().read(|_, _| Ok(b"content".to_vec()));
    /// host.step(|_| workspace::read("README.md", 1024))?;
    /// assert_eq!(host.calls().len(), 1);
    /// # Ok::<(), sidestep::Error>(())
    /// ```
    pub fn calls(&self) -> Vec<String> {
        self.state.calls.borrow().clone()
    }

    /// Returns the lines of the log so far, each as `LEVEL: MESSAGE, NAME=VALUE`; a group of lines
    /// begins with `group: TITLE`.
    ///
    /// # Examples
    ///
    /// ```
    /// let host = sidestep::testing::Host::new();
    /// host.step(|_| sidestep::info!(path = "README.md"; "packed"));
    /// assert_eq!(host.log(), ["info: packed, path=README.md"]);
    /// ```
    pub fn log(&self) -> Vec<String> {
        self.state.step.borrow().log.clone()
    }

    /// Returns the reports of progress so far.
    ///
    /// # Examples
    ///
    /// ```
    /// let host = sidestep::testing::Host::new();
    /// host.step(|step| {
    ///     step.progress(&sidestep::Progress {
    ///         message: "uploading".to_owned(),
    ///         done: 3,
    ///         total: Some(10),
    ///         unit: "files".to_owned(),
    ///     });
    /// });
    /// assert_eq!(host.progress()[0].done, 3);
    /// ```
    pub fn progress(&self) -> Vec<Progress> {
        self.state.step.borrow().progress.clone()
    }

    /// Returns the diagnostics that the step reported with [`Step::annotate`].
    ///
    /// # Examples
    ///
    /// ```
    /// let host = sidestep::testing::Host::new();
    /// let note = sidestep::Diagnostic::warning("lint.unused", "`x` is never read");
    /// host.step(|step| step.annotate(note));
    /// assert_eq!(host.notes()[0].code, "lint.unused");
    /// ```
    pub fn notes(&self) -> Vec<Diagnostic> {
        self.state.step.borrow().notes.clone()
    }

    /// Returns the last checkpoint.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::{serde_json::json, testing::Host};
    ///
    /// let host = Host::new();
    /// host.step(|step| step.checkpoint(&3))?;
    /// assert_eq!(host.checkpoint(), Some(json!(3)));
    /// # Ok::<(), sidestep::Error>(())
    /// ```
    pub fn checkpoint(&self) -> Option<Value> {
        self.state.step.borrow().checkpoint.clone()
    }

    /// Returns the time that the step has slept or waited.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let host = sidestep::testing::Host::new();
    /// host.step(|step| step.sleep(Duration::from_secs(60)))?;
    /// assert_eq!(host.elapsed(), Duration::from_secs(60));
    /// # Ok::<(), sidestep::Error>(())
    /// ```
    pub fn elapsed(&self) -> Duration {
        let step = self.state.step.borrow();
        Duration::from_millis(step.now.saturating_sub(step.started))
    }

    /// Sets the number of the attempt.
    ///
    /// # Examples
    ///
    /// ```
    /// let host = sidestep::testing::Host::new().attempt(2);
    /// assert_eq!(host.step(|step| step.attempt()), 2);
    /// ```
    #[must_use]
    pub fn attempt(self, number: u32) -> Self {
        self.state.step.borrow_mut().attempt = number;
        self
    }

    /// Makes this a later incarnation of an interrupted attempt, which finds this checkpoint.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::{serde_json::json, testing::Host};
    ///
    /// let host = Host::new().resumed(Some(json!(3)));
    /// let done: Option<u32> = host.step(|step| step.last_checkpoint())?;
    /// assert_eq!(done, Some(3));
    /// # Ok::<(), sidestep::Error>(())
    /// ```
    #[must_use]
    pub fn resumed(self, checkpoint: Option<Value>) -> Self {
        {
            let mut step = self.state.step.borrow_mut();
            step.resumed = true;
            step.checkpoint = checkpoint;
        }
        self
    }

    /// Sets the step's time limit, counted from now.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let host = sidestep::testing::Host::new().time_limit(Duration::from_secs(10));
    /// assert_eq!(host.step(|step| step.remaining()), Some(Duration::from_secs(10)));
    /// ```
    #[must_use]
    pub fn time_limit(self, limit: Duration) -> Self {
        {
            let mut step = self.state.step.borrow_mut();
            step.deadline = Some(step.now.saturating_add(milliseconds(limit)));
        }
        self
    }

    /// Cancels the step when it has slept or waited for this long from now.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use sidestep::testing::Host;
    ///
    /// let host = Host::new().cancelled_after(Duration::from_secs(5));
    /// let error = host.step(|step| step.sleep(Duration::from_secs(60))).unwrap_err();
    /// assert!(error.is_cancelled());
    /// assert_eq!(host.elapsed(), Duration::from_secs(5));
    /// ```
    #[must_use]
    pub fn cancelled_after(self, time: Duration) -> Self {
        {
            let mut step = self.state.step.borrow_mut();
            step.cancelled = Some(step.now.saturating_add(milliseconds(time)));
        }
        self
    }

    pub(crate) fn set_answer<A: 'static>(
        &self,
        capability: &'static str,
        name: &'static str,
        answer: A,
    ) {
        let mut answers = self.state.answers.borrow_mut();
        answers.insert((capability, name), Box::new(answer));
    }
}

/// A check that runs until this is dropped.
struct Checking<'a>(&'a State);

impl<'a> Checking<'a> {
    fn start(state: &'a State) -> Self {
        state.step.borrow_mut().is_check = true;
        Self(state)
    }
}

impl Drop for Checking<'_> {
    fn drop(&mut self) {
        self.0.step.borrow_mut().is_check = false;
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
