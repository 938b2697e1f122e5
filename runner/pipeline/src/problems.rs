use std::collections::{BTreeSet, HashSet};

use sidestep_evaluator::Evaluator;
use sidestep_events::{Diagnostic, Foreign, Help, Place, Position};
use sidestep_policy::nearest;

use crate::expression::{Code, Unanswered};

/// The errors of one file, collected so that all are reported at once.
#[derive(Debug)]
pub(crate) struct Problems<'a> {
    file: &'a str,
    /// The evaluator that reads the file's expressions.
    evaluator: &'a dyn Evaluator,
    all: Vec<Diagnostic>,
    /// The places of the errors.
    places: BTreeSet<Option<Place>>,
    /// Whether a budget of the whole run is exceeded; this is reported once.
    ended: bool,
    /// The number of names that may still be compared with unknown ones: a file may have thousands
    /// of both.
    comparisons: usize,
}

/// The maximum number of comparisons of names for suggestions.
const COMPARISONS: usize = 200_000;
/// The maximum number of known names that one message lists.
const LISTED: usize = 20;

impl<'a> Problems<'a> {
    pub(crate) fn new(file: &'a str, evaluator: &'a dyn Evaluator, all: Vec<Diagnostic>) -> Self {
        let places = all.iter().map(place).collect();
        Self {
            file,
            evaluator,
            all,
            places,
            ended: false,
            comparisons: COMPARISONS,
        }
    }

    pub(crate) fn evaluator(&self) -> &'a dyn Evaluator {
        self.evaluator
    }

    /// Reports an expression, a schema or a pattern without a result.
    pub(crate) fn unanswered(&mut self, code: Code, at: Place, why: &Unanswered) {
        if !(why.is_final() && self.ended) {
            self.push(why.diagnostic(code), at);
        }
        self.ended |= why.is_final();
    }

    pub(crate) fn file(&self) -> &'a str {
        self.file
    }

    pub(crate) fn add(&mut self, code: &'static str, at: Place, message: impl Into<Foreign>) {
        self.push(Diagnostic::error(code, message), at);
    }

    pub(crate) fn add_help(
        &mut self,
        code: &'static str,
        at: Place,
        message: impl Into<Foreign>,
        help: impl Into<Help>,
    ) {
        self.push(Diagnostic::error(code, message).with_help(help), at);
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic, at: Place) {
        self.push_anywhere(diagnostic.at(self.file, at));
    }

    /// Reports as [`unanswered`](Self::unanswered), with `help` unless the error has its own.
    pub(crate) fn unanswered_of(&mut self, code: Code, at: Place, why: &Unanswered, help: &str) {
        let before = self.all.len();
        self.unanswered(code, at, why);
        if let Some(added) = self.all.get_mut(before)
            && added.help.is_empty()
        {
            added.help.push(help.into());
        }
    }

    /// Reports a problem that has no place in the file, or already has its place.
    pub(crate) fn push_anywhere(&mut self, diagnostic: Diagnostic) {
        self.places.insert(place(&diagnostic));
        self.all.push(diagnostic);
    }

    /// Reports an unknown name, with the most similar known one.
    pub(crate) fn unknown<'k>(
        &mut self,
        code: &'static str,
        at: Place,
        message: String,
        wrong: &str,
        known: impl IntoIterator<Item = &'k str> + Clone,
    ) {
        let most = self.comparisons;
        let compared = known.clone().into_iter().take(most);
        let compared = compared.inspect(|_| self.comparisons -= 1);
        let similar = nearest(wrong, compared.collect::<Vec<_>>());
        let help = match similar {
            Some(known) => format!("did you mean `{known}`?"),
            None => {
                let mut known = known.into_iter();
                let listed: Vec<&str> = known.by_ref().take(LISTED).collect();
                match (listed.is_empty(), known.next()) {
                    (true, _) => "none are defined here".to_owned(),
                    (false, None) => format!("known here: {}", listed.join(", ")),
                    (false, Some(_)) => format!("known here: {}, …", listed.join(", ")),
                }
            }
        };
        self.add_help(code, at, message, help);
    }

    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Returns whether a problem is already reported at this exact place.
    pub(crate) fn has_at(&self, at: Place) -> bool {
        self.places.contains(&Some(at))
    }

    /// Returns whether a problem is already reported at this place or at a part of it, as within an
    /// expression.
    pub(crate) fn has_within(&self, place: Place) -> bool {
        let start = Position {
            length: 0,
            ..place.at
        };
        let end = start.column.saturating_add(place.at.length.max(1));
        let from = self.places.range(Some(start.into())..).flatten();
        from.map(|found| found.at)
            .take_while(|at| at.line == start.line && at.column < end)
            .next()
            .is_some()
    }

    /// Returns all problems in the order of the file, without duplicates.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        let mut said = HashSet::new();
        // A value that many aliases repeat has its error once, at the first use.
        self.all.sort_by_key(place);
        self.all.retain(|found| {
            let mut bare = found.clone();
            bare.used = None;
            said.insert(format!("{bare:?}"))
        });
        self.all
    }
}

/// Returns the place of a diagnostic.
fn place(found: &Diagnostic) -> Option<Place> {
    let used = found.used;
    found.at.map(|at| Place { at, used })
}
