//! The error of a step.

mod contract;
#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::{Map, Value};
use sidestep_contract::codes;

use crate::Help;

pub(crate) use contract::{each, only};
pub use sidestep_contract::{Class, Owner};

/// The result of a plugin's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure: what happened, who can act on it, and what to do next.
///
/// The host's failures have this type, so `?` passes them on unchanged.
#[derive(Debug, Clone, PartialEq)]
pub struct Error {
    /// The kind of failure.
    pub class: Class,
    /// The code: dotted words from an open list, such as `pod.evicted`.
    pub code: String,
    /// The party that can act on it.
    pub owner: Owner,
    /// A sentence that says what happened, and where.
    pub message: String,
    /// The help: one step per entry.
    pub help: Vec<Help>,
    /// The time to wait before a retry.
    pub retry_after: Option<std::time::Duration>,
    /// Facts for programs.
    pub details: Box<Map<String, Value>>,
}

impl Error {
    /// Returns an error with a class, a dotted code, an owner and a message.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::{Class, Error, Owner};
    ///
    /// let error = Error::new(Class::NotFound, "bucket.missing", Owner::Operator, "no bucket `ci`");
    /// assert!(error.is_not_found());
    /// ```
    pub fn new(
        class: Class,
        code: impl Into<String>,
        owner: Owner,
        message: impl Into<String>,
    ) -> Self {
        Self {
            class,
            code: code.into(),
            owner,
            message: message.into(),
            help: Vec::new(),
            retry_after: None,
            details: Box::default(),
        }
    }

    /// Returns an error about inputs that the pipeline's author can correct.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::{Error, Owner};
    ///
    /// let error = Error::invalid_input("upload.path", "`path` is not a folder");
    /// assert_eq!(error.owner, Owner::Author);
    /// ```
    pub fn invalid_input(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Class::InvalidInput, code, Owner::Author, message)
    }

    /// Returns a failure whose reason is in what the pipeline's author wrote.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Error;
    ///
    /// let error = Error::failed("upload.empty", "nothing to upload")
    ///     .help("name a folder that has files");
    /// assert_eq!(error.to_string(), "nothing to upload (upload.empty)");
    /// ```
    pub fn failed(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Class::Failed, code, Owner::Author, message)
    }

    /// Returns an error about a bug in the plugin itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::{Error, Owner};
    ///
    /// assert_eq!(Error::bug("the list is never empty").owner, Owner::Plugin);
    /// ```
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Class::Failed, codes::plugin::BUG, Owner::Plugin, message)
            .help("report this to the plugin's author, with the step's log")
    }

    /// Adds a step to the help.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::{Command, Error};
    ///
    /// let error = Error::failed("upload.denied", "the bucket can't be written")
    ///     .help("look at its policy:")
    ///     .help(Command::fixed(&["gcloud", "storage", "buckets", "list"]));
    /// assert_eq!(error.help.len(), 2);
    /// ```
    #[must_use]
    pub fn help(mut self, help: impl Into<Help>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds steps to the help: none, one or many.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Error;
    ///
    /// let none: Option<String> = None;
    /// assert!(Error::failed("a.b", "c").helps(none).help.is_empty());
    /// ```
    #[must_use]
    pub fn helps(mut self, helps: impl IntoIterator<Item = impl Into<Help>>) -> Self {
        self.help.extend(helps.into_iter().map(Into::into));
        self
    }

    /// Sets the time to wait before a retry.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::{Class, Error, Owner};
    ///
    /// let wait = std::time::Duration::from_secs(30);
    /// let error = Error::new(Class::Unavailable, "queue.full", Owner::Cloud, "the queue is full")
    ///     .retry_after(wait);
    /// assert_eq!(error.retry_after, Some(wait));
    /// ```
    #[must_use]
    pub fn retry_after(mut self, after: std::time::Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Adds a fact for programs.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Error;
    ///
    /// let error = Error::failed("tests.failed", "2 tests failed").detail("failed", 2);
    /// assert_eq!(error.details["failed"], 2);
    /// ```
    #[must_use]
    pub fn detail(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.details.insert(name.into(), value.into());
        self
    }

    /// Puts the attempted action before the message.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Error;
    ///
    /// let error = Error::failed("json.wrong", "a comma is missing").context("reading config.json");
    /// assert_eq!(error.message, "reading config.json: a comma is missing");
    /// ```
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.message = format!("{doing}: {}", self.message);
        self
    }

    /// Returns whether the requested resource does not exist.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::{Class, Error, Owner};
    ///
    /// let error = Error::new(Class::NotFound, "object.missing", Owner::Author, "no such object");
    /// assert!(error.is_not_found());
    /// ```
    pub fn is_not_found(&self) -> bool {
        self.class == Class::NotFound
    }

    /// Returns whether the step was cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Error;
    ///
    /// assert!(!Error::failed("a.b", "c").is_cancelled());
    /// ```
    pub fn is_cancelled(&self) -> bool {
        self.class == Class::Cancelled
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for Error {}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::new(
            Class::Failed,
            codes::plugin::JSON,
            Owner::Plugin,
            error.to_string(),
        )
    }
}
