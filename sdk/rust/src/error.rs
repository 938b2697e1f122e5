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
    pub fn invalid_input(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Class::InvalidInput, code, Owner::Author, message)
    }

    /// Returns a failure whose reason is in what the pipeline's author wrote.
    pub fn failed(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Class::Failed, code, Owner::Author, message)
    }

    /// Returns an error about a bug in the plugin itself.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Class::Failed, codes::plugin::BUG, Owner::Plugin, message)
            .help("report this to the plugin's author, with the step's log")
    }

    /// Adds a step to the help.
    #[must_use]
    pub fn help(mut self, help: impl Into<Help>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds steps to the help: none, one or many.
    #[must_use]
    pub fn helps(mut self, helps: impl IntoIterator<Item = impl Into<Help>>) -> Self {
        self.help.extend(helps.into_iter().map(Into::into));
        self
    }

    /// Sets the time to wait before a retry.
    #[must_use]
    pub fn retry_after(mut self, after: std::time::Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Adds a fact for programs.
    #[must_use]
    pub fn detail(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.details.insert(name.into(), value.into());
        self
    }

    /// Puts the attempted action before the message.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.message = format!("{doing}: {}", self.message);
        self
    }

    /// Returns whether the requested resource does not exist.
    pub fn is_not_found(&self) -> bool {
        self.class == Class::NotFound
    }

    /// Returns whether the step was cancelled.
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
