//! Errors for texts that are not valid plugin references, with the fix.

use sidestep_contract::codes;

use crate::Diagnostic;

/// The maximum length of a wrong reference in a message, in characters.
const SHOWN: usize = 200;

/// The error for a text that is not a valid plugin reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidPluginRef {
    /// `uses.form`, or `uses.digest`.
    pub code: &'static str,
    /// The error message; printable.
    pub message: String,
    /// The fix.
    pub help: String,
}

impl InvalidPluginRef {
    pub(super) fn form(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            code: codes::uses::FORM,
            message: message.into(),
            help: help.into(),
        }
    }

    /// Returns the error as a diagnostic.
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::error(self.code, self.message.clone()).with_help(self.help.clone())
    }
}

/// Returns the beginning of a text, with unprintable characters escaped.
pub(super) fn shown(text: &str) -> String {
    let start: String = text.chars().take(SHOWN).collect();
    start.escape_debug().to_string()
}
