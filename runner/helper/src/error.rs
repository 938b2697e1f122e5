//! The reasons why a command for pods fails.

use std::io;
use std::path::Path;

/// The party that a failure concerns, as the plugin that made the pod reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The pod has no permission, or no identity.
    Denied,
    /// The object or its bucket does not exist.
    Missing,
    /// The files are not what the step says, or more than it allows.
    Wrong,
    /// A service did not answer.
    Unavailable,
    /// The pod's disk failed or is full.
    Disk,
}

impl Reason {
    /// Returns the reason's name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Missing => "missing",
            Self::Wrong => "wrong",
            Self::Unavailable => "unavailable",
            Self::Disk => "disk",
        }
    }
}

/// The failure of a command for pods.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The reason.
    pub reason: Reason,
    /// The message for people.
    pub message: String,
}

impl Error {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }

    pub(crate) fn wrong(message: impl Into<String>) -> Self {
        Self::new(Reason::Wrong, message)
    }

    /// Returns the failure of an operation on a local file or folder.
    pub(crate) fn disk(action: &str, path: &Path, error: &io::Error) -> Self {
        let is_missing = matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
        );
        let reason = if is_missing {
            Reason::Wrong
        } else {
            Reason::Disk
        };
        Self::new(
            reason,
            format!("cannot {action} {}: {error}", path.display()),
        )
    }
}
