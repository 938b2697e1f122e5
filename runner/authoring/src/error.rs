use std::io;
use std::path::Path;

use sidestep_events::{Diagnostic, Failure, Foreign, Help, codes};

/// The reason why a plugin can't be created or built.
#[derive(Debug)]
pub enum AuthoringError {
    /// The request, the project or the plugin is wrong.
    Wrong(Vec<Diagnostic>),
    /// A tool is missing or failed.
    Failed(Box<Failure>),
}

impl AuthoringError {
    /// Creates an error about the user's request.
    pub(crate) fn usage(message: impl Into<Foreign>, help: impl Into<Help>) -> Self {
        let problem = Diagnostic::error(codes::command::WRONG, message).with_help(help);
        Self::Wrong(vec![problem])
    }

    /// Creates the error when a file can't be written.
    pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Self {
        Self::usage(
            format!("{} can't be written: {error}", path.display()),
            "use a folder that you can write to, on a disk with free space",
        )
    }
}

impl From<Diagnostic> for AuthoringError {
    fn from(problem: Diagnostic) -> Self {
        Self::Wrong(vec![problem])
    }
}

impl From<Failure> for AuthoringError {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}
