use std::fmt;

/// What is said only after the parsing.
pub(crate) const NO_FROM: &str = "dockerfile must contain at least one FROM instruction";

/// Why kaniko does not take a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The byte of the text that the instruction or the word at fault begins at.
    pub at: usize,
    /// What is wrong, in the parser's words.
    pub message: String,
    /// The line that the parser names, where it names one.
    pub line: Option<usize>,
}

impl Error {
    /// As kaniko prints it after `error building image: `.
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
    /// The parser's words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "dockerfile parse error on line {line}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
