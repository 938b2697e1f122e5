//! Why a text is not a time or a size.

use std::fmt;

/// Why a text is not a time or a size, with the right spelling of a near miss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// How the text is spelt if it means what it seems to; where it may mean two things, both.
    spellings: Vec<String>,
    /// Texts that fit, for one that is no near miss.
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

    /// Returns the misfit of a text that is a time, but not one that its place takes.
    pub fn time() -> Self {
        Self::new(super::time::EXAMPLES)
    }

    /// Returns how the text is spelt if it is a near miss: `512M or 512Mi`.
    pub fn spelling(&self) -> Option<String> {
        (!self.spellings.is_empty()).then(|| self.spellings.join(" or "))
    }

    /// Returns the spelling if its place takes every value that it stands for.
    pub fn spelling_where(&self, takes: impl Fn(&str) -> bool) -> Option<String> {
        self.spelling()
            .filter(|_| self.spellings.iter().all(|spelling| takes(spelling)))
    }
}

/// Says what to write: the right spelling of a near miss, else examples.
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
