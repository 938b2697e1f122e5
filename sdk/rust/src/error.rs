//! Why a step did not work.

mod contract;
#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::{Map, Value};
use sidestep_contract::codes;

use crate::Help;

pub(crate) use contract::{each, only};
pub use sidestep_contract::{Class, Owner};

/// What a plugin's functions answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something did not work, whose it is, and what to do next.
///
/// The host's failures come as this type, so `?` hands them on as they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Error {
    /// What kind of failure it is.
    pub class: Class,
    /// Dotted and open: `pod.evicted`, `upload.too-large`, …
    pub code: String,
    /// Who can act on it.
    pub owner: Owner,
    /// What happened, and where.
    pub message: String,
    /// What to do next, one step an entry.
    pub help: Vec<Help>,
    /// After how long another try makes sense.
    pub retry_after: Option<std::time::Duration>,
    /// What a program may want to know.
    pub details: Box<Map<String, Value>>,
}

impl Error {
    /// An error of a class, a dotted code, an owner and a message.
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

    /// The inputs are wrong, and the pipeline's author can correct them.
    pub fn invalid_input(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Class::InvalidInput, code, Owner::Author, message)
    }

    /// It did not work, for a reason in what the pipeline's author wrote.
    pub fn failed(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Class::Failed, code, Owner::Author, message)
    }

    /// The plugin itself is wrong.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Class::Failed, codes::plugin::BUG, Owner::Plugin, message)
            .help("report this to the plugin's author, with the step's log")
    }

    /// Adds a step of what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<Help>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds further steps of what to do: none, one or many.
    #[must_use]
    pub fn helps(mut self, helps: impl IntoIterator<Item = impl Into<Help>>) -> Self {
        self.help.extend(helps.into_iter().map(Into::into));
        self
    }

    /// Says after how long another try makes sense.
    #[must_use]
    pub fn retry_after(mut self, after: std::time::Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Adds something that a program may want to know.
    #[must_use]
    pub fn detail(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.details.insert(name.into(), value.into());
        self
    }

    /// Puts what was being done before the message.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.message = format!("{doing}: {}", self.message);
        self
    }

    /// Whether the thing that was asked for is not there.
    pub fn is_not_found(&self) -> bool {
        self.class == Class::NotFound
    }

    /// Whether the step was told to stop.
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
