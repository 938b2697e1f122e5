use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Foreign, Help, codes};

/// Something found in a file before anything is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The exact problem, dotted: `yaml.duplicate-key`, `dockerfile.missing`.
    #[schemars(with = "codes::Code")]
    pub code: Foreign,
    /// What is wrong, in one sentence.
    pub message: Foreign,
    /// What to write instead, or what to do, one step an entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<Help>,
    /// The file, relative to the workspace; absent for the command line itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Foreign>,
    /// Where in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Position>,
    /// Which exit code it counts for, when not that of a wrong file: 3 for a missing grant, 6 for
    /// an unreadable policy.
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
    pub fn at(mut self, file: impl Into<Foreign>, at: Position) -> Self {
        self.file = Some(file.into());
        self.at = Some(at);
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
    /// How many characters it spans on that line; 0 when only the place is known.
    #[serde(default)]
    pub length: u32,
}

/// How bad a diagnostic is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Works, and is likely not what was meant.
    Warning,
    /// Nothing can start.
    Error,
}
