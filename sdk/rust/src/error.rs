//! Why a step did not work.

use std::fmt;

use serde_json::{Map, Value};

use crate::bindings::sidestep::host::types::Failure;

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
    /// Who can mend it.
    pub owner: Owner,
    /// What happened, and where.
    pub message: String,
    /// What to do next, one step an entry.
    pub help: Vec<String>,
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

    /// The inputs are wrong, and the pipeline's author can mend them.
    pub fn invalid_input(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Class::InvalidInput, code, Owner::Author, message)
    }

    /// It did not work, for a reason in what the pipeline's author wrote.
    pub fn failed(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Class::Failed, code, Owner::Author, message)
    }

    /// The plugin itself is wrong.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Class::Failed, "plugin.bug", Owner::Plugin, message)
            .help("report this to the plugin's author, with the step's log")
    }

    /// Adds a step of what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
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
            "plugin.json",
            Owner::Plugin,
            error.to_string(),
        )
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let details = match serde_json::from_str(&failure.details) {
            Ok(Value::Object(details)) => details,
            _ => Map::new(),
        };
        Self {
            class: Class::from_name(&failure.class),
            code: failure.code,
            owner: Owner::from_name(&failure.owner),
            message: failure.message,
            help: failure.help,
            retry_after: failure.retry_after.map(std::time::Duration::from_millis),
            details: Box::new(details),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            class: error.class.as_str().to_owned(),
            code: error.code,
            owner: error.owner.as_str().to_owned(),
            message: error.message,
            help: error.help,
            retry_after: error
                .retry_after
                .map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
            details: Value::Object(*error.details).to_string(),
        }
    }
}

/// Answers of a list call, each with its own error.
pub(crate) fn each<T>(answers: Vec<Result<T, Failure>>) -> Vec<Result<T>> {
    answers
        .into_iter()
        .map(|answer| answer.map_err(Error::from))
        .collect()
}

/// The answer of a list call that asked for one thing.
pub(crate) fn only<T>(answers: Vec<Result<T, Failure>>) -> Result<T> {
    let mut answers = answers.into_iter();
    match (answers.next(), answers.next()) {
        (Some(answer), None) => answer.map_err(Error::from),
        _ => Err(Error::new(
            Class::Failed,
            "sidestep.bug",
            Owner::Sidestep,
            "the host did not give one answer to one question",
        )),
    }
}

/// What kind of failure it is. A host may know more classes: they read as
/// [`Class::Failed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The inputs are wrong.
    InvalidInput,
    /// A grant or the operator's policy says no.
    Refused,
    /// The cloud or the cluster says no.
    Denied,
    /// It is not there.
    NotFound,
    /// Something else is in its place, or it changed meanwhile.
    Conflict,
    /// Not now; the same again may work.
    Unavailable,
    /// A limit or a quota is used up.
    Exhausted,
    /// The time is over.
    TimedOut,
    /// The step was told to stop.
    Cancelled,
    /// Anything else.
    Failed,
}

impl Class {
    const ALL: [Self; 10] = [
        Self::InvalidInput,
        Self::Refused,
        Self::Denied,
        Self::NotFound,
        Self::Conflict,
        Self::Unavailable,
        Self::Exhausted,
        Self::TimedOut,
        Self::Cancelled,
        Self::Failed,
    ];

    /// Its name in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid-input",
            Self::Refused => "refused",
            Self::Denied => "denied",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::Unavailable => "unavailable",
            Self::Exhausted => "exhausted",
            Self::TimedOut => "timed-out",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    fn from_name(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|class| class.as_str() == name)
            .unwrap_or(Self::Failed)
    }
}

/// Who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// Who wrote the pipeline or the code that it builds.
    Author,
    /// Who wrote the plugin.
    Plugin,
    /// Google Cloud, or who administers the project there.
    Cloud,
    /// The cluster, or who administers it.
    Cluster,
    /// Who runs the runner.
    Operator,
    /// Sidestep itself.
    Sidestep,
}

impl Owner {
    const ALL: [Self; 6] = [
        Self::Author,
        Self::Plugin,
        Self::Cloud,
        Self::Cluster,
        Self::Operator,
        Self::Sidestep,
    ];

    /// Its name in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Plugin => "plugin",
            Self::Cloud => "cloud",
            Self::Cluster => "cluster",
            Self::Operator => "operator",
            Self::Sidestep => "sidestep",
        }
    }

    fn from_name(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|owner| owner.as_str() == name)
            .unwrap_or(Self::Sidestep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_survives_the_way_to_the_host_and_back() {
        let error = Error::new(Class::Denied, "bucket.denied", Owner::Cloud, "no")
            .help("ask for it")
            .retry_after(std::time::Duration::from_millis(1500))
            .detail("bucket", "b");
        assert_eq!(Error::from(Failure::from(error.clone())), error);
    }

    #[test]
    fn what_a_newer_host_says_is_read_as_far_as_it_goes() {
        let failure = Failure {
            class: "melted".into(),
            code: "core.melted".into(),
            owner: "nature".into(),
            message: "hot".into(),
            help: vec![],
            retry_after: None,
            details: "[1]".into(),
        };
        let error = Error::from(failure);
        assert_eq!((error.class, error.owner), (Class::Failed, Owner::Sidestep));
        assert_eq!(error.code, "core.melted");
        assert!(error.details.is_empty());
    }

    #[test]
    fn names_are_read_back() {
        for class in Class::ALL {
            assert_eq!(Class::from_name(class.as_str()), class);
        }
        for owner in Owner::ALL {
            assert_eq!(Owner::from_name(owner.as_str()), owner);
        }
    }

    #[test]
    fn context_goes_before_the_message() {
        let error = Error::failed("a.b", "file is empty").context("reading Dockerfile");
        assert_eq!(error.to_string(), "reading Dockerfile: file is empty (a.b)");
    }
}
