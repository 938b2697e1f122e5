//! The error for a text that is not a valid time or size.

use std::fmt;

/// The reason why a text is not a valid time or size, with the correct spelling of a near miss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The correct spellings of the text: one for its apparent meaning, or two if it is ambiguous.
    spellings: Vec<String>,
    /// Examples of valid texts, for a text that is not a near miss.
    examples: &'static str,
}

impl Misfit {
    pub(super) fn new(examples: &'static str) -> Self {
        Self {
            spellings: Vec::new(),
            examples,
        }
    }

    pub(super) fn near(spellings: Vec<String>, examples: &'static str) -> Self {
        Self {
            spellings,
            examples,
        }
    }

    /// Returns the correct spelling of a near miss: `512M or 512Mi`.
    pub fn spelling(&self) -> Option<String> {
        (!self.spellings.is_empty()).then(|| self.spellings.join(" or "))
    }

    /// Returns the spelling if every value that it may mean is allowed in its place.
    pub fn spelling_where(&self, takes: impl Fn(&str) -> bool) -> Option<String> {
        self.spelling()
            .filter(|_| self.spellings.iter().all(|spelling| takes(spelling)))
    }
}

/// Writes the advice: the correct spelling of a near miss, otherwise examples.
impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.spelling() {
            Some(spelling) => f.write_str(&spelling),
            None => f.write_str(self.examples),
        }
    }
}

/// Splits a text into its leading digits and the rest.
pub(super) fn number(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}
