use std::ops::Deref;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Foreign, Help, codes};

/// A problem that was found in a file before any step was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// The severity.
    pub severity: Severity,
    /// The problem's code, with dots: `yaml.duplicate-key`, `dockerfile.missing`.
    #[schemars(with = "codes::Code")]
    pub code: Foreign,
    /// The problem, in one sentence.
    pub message: Foreign,
    /// The correct text, or the next steps, one per entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<Help>,
    /// The file, relative to the workspace; absent for the command line itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Foreign>,
    /// The position in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Position>,
    /// The place that uses the value, if the position is in a value that an alias repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Position>,
    /// The exit code, if it is not 2 (an error in a file): 3 for a missing grant, 6 for an
    /// unreadable policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<u8>,
}

impl Diagnostic {
    /// Creates an error without a place.
    pub fn error(code: impl Into<Foreign>, message: impl Into<Foreign>) -> Self {
        Self {
            severity: Severity::Error,
            code: code.into(),
            message: message.into(),
            help: Vec::new(),
            file: None,
            at: None,
            used: None,
            exit: None,
        }
    }

    /// Creates a warning without a place.
    pub fn warning(code: impl Into<Foreign>, message: impl Into<Foreign>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    /// Adds a next step.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<Help>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds further next steps: none, one or many.
    #[must_use]
    pub fn with_helps(mut self, helps: impl IntoIterator<Item = impl Into<Help>>) -> Self {
        self.help.extend(helps.into_iter().map(Into::into));
        self
    }

    /// Sets the place.
    #[must_use]
    pub fn at(mut self, file: impl Into<Foreign>, at: impl Into<Place>) -> Self {
        let Place { at, used } = at.into();
        self.file = Some(file.into());
        self.at = Some(at);
        self.used = used;
        self
    }

    /// Sets an exit code other than 2.
    #[must_use]
    pub fn with_exit(mut self, exit: crate::Exit) -> Self {
        self.exit = Some(exit.code());
        self
    }
}

/// A place in a text file.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The number of characters on that line; 0 if only the start is known.
    #[serde(default)]
    pub length: u32,
}

/// A place in a file, and the alias that repeats the value there, if one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The place of the text.
    pub at: Position,
    /// The place of the outermost alias, or of the alias in a merge key.
    pub used: Option<Position>,
}

impl From<Position> for Place {
    fn from(at: Position) -> Self {
        Self { at, used: None }
    }
}

impl Deref for Place {
    type Target = Position;

    fn deref(&self) -> &Position {
        &self.at
    }
}

/// The severity of a diagnostic.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// A note that needs no action.
    Note,
    /// Valid, but likely a mistake.
    Warning,
    /// Prevents the run from starting.
    Error,
}
