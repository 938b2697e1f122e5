//! The problems that a plugin finds before anything starts.

use crate::bindings::sidestep::host::types;
use crate::{Error, Help};

pub use crate::bindings::sidestep::host::types::Severity;

/// The argument of a plugin's `check`: it shows that a check can only read the workspace.
/// A call of any other capability ends the check.
#[derive(Debug)]
pub struct Check(());

impl Check {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

/// A message about a place in a file, or about the inputs as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, relative to the workspace.
    pub file: Option<String>,
    /// The line, counted from 1.
    pub line: Option<u32>,
    /// The column in characters, counted from 1.
    pub column: Option<u32>,
    /// The severity.
    pub severity: Severity,
    /// The code: dotted words from an open list.
    pub code: String,
    /// A sentence that says what is wrong.
    pub message: String,
    /// The help: one step per entry.
    pub help: Vec<Help>,
}

impl Diagnostic {
    /// Returns a problem that keeps the step from working.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Diagnostic;
    ///
    /// let problem = Diagnostic::error("upload.empty", "the folder has no files");
    /// assert_eq!(problem.severity, sidestep::Severity::Error);
    /// ```
    pub fn error(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// Returns a problem that is probably not intended.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Diagnostic;
    ///
    /// let remark = Diagnostic::warning("upload.large", "the folder has 2 GiB")
    ///     .help("exclude build results in .dockerignore");
    /// assert_eq!(remark.help.len(), 1);
    /// ```
    pub fn warning(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// Returns a remark.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Diagnostic;
    ///
    /// let remark = Diagnostic::info("upload.cached", "the archive exists already");
    /// assert_eq!(remark.code, "upload.cached");
    /// ```
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

    /// Sets the file.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Diagnostic;
    ///
    /// let problem = Diagnostic::error("config.syntax", "a comma is missing")
    ///     .in_file("config.json")
    ///     .at(3, 14);
    /// assert_eq!(problem.file.as_deref(), Some("config.json"));
    /// ```
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Sets the line and the column, both counted from 1.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Diagnostic;
    ///
    /// let problem = Diagnostic::error("config.syntax", "a comma is missing").at(3, 14);
    /// assert_eq!((problem.line, problem.column), (Some(3), Some(14)));
    /// ```
    #[must_use]
    pub fn at(mut self, line: u32, column: u32) -> Self {
        self.line = Some(line);
        self.column = Some(column);
        self
    }

    /// Adds a step to the help.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::{Command, Diagnostic};
    ///
    /// let problem = Diagnostic::error("config.format", "the file is not formatted")
    ///     .help("format it:")
    ///     .help(Command::fixed(&["cargo", "fmt"]));
    /// assert_eq!(problem.help[1].text(), "cargo fmt");
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
    /// use sidestep::Diagnostic;
    ///
    /// let known: Option<&str> = Some("use `main`");
    /// let problem = Diagnostic::error("ref.unknown", "there is no branch `mian`").helps(known);
    /// assert_eq!(problem.help.len(), 1);
    /// ```
    #[must_use]
    pub fn helps(mut self, helps: impl IntoIterator<Item = impl Into<Help>>) -> Self {
        self.help.extend(helps.into_iter().map(Into::into));
        self
    }
}

/// Converts a failure during a check, with its code, message and help.
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
