//! The known secrets.

use std::collections::HashSet;
use std::fmt;

use super::automaton::Automaton;
use super::forms::forms;
use super::{MIN_SECRET, Unmaskable};

/// The maximum number of states of the automaton; each takes about 28 bytes.
const MOST_STATES: usize = 4_000_000;

/// The forms of all known secrets, and the automaton that finds them.
#[derive(Clone)]
pub(super) struct Needles {
    secrets: HashSet<String>,
    automaton: Automaton,
}

impl Needles {
    pub(super) fn new() -> Self {
        Self {
            secrets: HashSet::new(),
            automaton: Automaton::new(),
        }
    }

    pub(super) fn knows(&self, secret: &str) -> bool {
        self.secrets.contains(secret)
    }

    /// Returns these and the forms of one more secret.
    pub(super) fn with(&self, secret: &str) -> Result<Self, Unmaskable> {
        let forms = forms(secret);
        if forms.is_empty() {
            return Err(Unmaskable::TooShort);
        }
        let more: usize = forms.iter().map(String::len).sum();
        if self.automaton.len() + more > MOST_STATES {
            return Err(Unmaskable::TooMuch);
        }
        let mut all = self.clone();
        all.secrets.insert(secret.to_owned());
        all.automaton.extend(forms.iter().map(String::as_str));
        Ok(all)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    pub(super) fn automaton(&self) -> &Automaton {
        &self.automaton
    }

    /// Returns the length of the longest form; at least that of the shortest secret.
    pub(super) fn longest(&self) -> usize {
        self.automaton.deepest().max(MIN_SECRET)
    }
}

impl fmt::Debug for Needles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Needles(…)")
    }
}
