//! What a plugin finds before anything starts.

use crate::bindings::sidestep::host::types;
use crate::{Error, Help};

pub use crate::bindings::sidestep::host::types::Severity;

/// Given to a plugin's `check`: a sign that only the workspace can be read.
/// Every other capability ends the check.
#[derive(Debug)]
pub struct Check(());

impl Check {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

/// Something about a place in a file, or about the inputs as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, relative to the workspace.
    pub file: Option<String>,
    /// The line, counted from 1.
    pub line: Option<u32>,
    /// The column in characters, counted from 1.
    pub column: Option<u32>,
    /// How much it weighs.
    pub severity: Severity,
    /// Dotted and open.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it, one step an entry.
    pub help: Vec<Help>,
}

impl Diagnostic {
    /// Something that keeps the step from working.
    pub fn error(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// Something that is probably not meant.
    pub fn warning(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// Something good to know.
    pub fn info(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Info, code, message)
    }

    fn new(severity: Severity, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            file: None,
            line: None,
            column: None,
            severity,
            code: code.into(),
            message: message.into(),
            help: Vec::new(),
        }
    }

    /// Names the file.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Names the place in the file, both counted from 1.
    #[must_use]
    pub fn at(mut self, line: u32, column: u32) -> Self {
        self.line = Some(line);
        self.column = Some(column);
        self
    }

    /// Adds a step of what to do about it.
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
}

/// A failure that a check met, with its code, its message and its help.
impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        Self::error(error.code, error.message).helps(error.help)
    }
}

impl From<Diagnostic> for types::Diagnostic {
    fn from(diagnostic: Diagnostic) -> Self {
        let Diagnostic {
            file,
            line,
            column,
            severity,
            code,
            message,
            help,
        } = diagnostic;
        Self {
            file,
            line,
            column,
            severity,
            code,
            message,
            help: help.into_iter().map(Into::into).collect(),
        }
    }
}
