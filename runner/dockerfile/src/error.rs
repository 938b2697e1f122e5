use std::fmt;

/// The error for a missing `FROM`, which is only reported after parsing.
pub(crate) const NO_FROM: &str = "dockerfile must contain at least one FROM instruction";

/// The reason why kaniko rejects a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The byte offset in the text of the instruction or word with the error.
    pub at: usize,
    /// The parser's message.
    pub message: String,
    /// The line in the parser's message, if there is one.
    pub line: Option<usize>,
}

impl Error {
    /// Returns the error as kaniko prints it after `error building image: `.
    pub fn kanikos(&self) -> String {
        if self.message == NO_FROM {
            self.message.clone()
        } else {
            format!("parsing dockerfile: {self}")
        }
    }

    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
            line: None,
        }
    }
}

impl fmt::Display for Error {
    /// Formats the parser's message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "dockerfile parse error on line {line}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
