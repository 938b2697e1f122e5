use std::collections::{BTreeSet, HashSet};

use sidestep_evaluator::Evaluator;
use sidestep_events::{Diagnostic, Foreign, Help, Position};
use sidestep_policy::nearest;

use crate::expression::{Code, Unanswered};

/// What is wrong with one file, gathered so that everything is said at once.
#[derive(Debug)]
pub(crate) struct Problems<'a> {
    file: &'a str,
    /// Reads the file's expressions.
    evaluator: &'a dyn Evaluator,
    all: Vec<Diagnostic>,
    /// Where they are.
    places: BTreeSet<Option<Position>>,
    /// Whether a budget of the whole run is used up, which is said once.
    ended: bool,
}

impl<'a> Problems<'a> {
    pub(crate) fn new(file: &'a str, evaluator: &'a dyn Evaluator, all: Vec<Diagnostic>) -> Self {
        let places = all.iter().map(|found| found.at).collect();
        Self {
            file,
            evaluator,
            all,
            places,
            ended: false,
        }
    }

    pub(crate) fn evaluator(&self) -> &'a dyn Evaluator {
        self.evaluator
    }

    /// Reports that an expression, a schema or a pattern gave no answer.
    pub(crate) fn unanswered(&mut self, code: Code, at: Position, why: &Unanswered) {
        if !(why.is_final() && self.ended) {
            self.push(why.diagnostic(code), at);
        }
        self.ended |= why.is_final();
    }

    pub(crate) fn file(&self) -> &'a str {
        self.file
    }

    pub(crate) fn add(&mut self, code: &'static str, at: Position, message: impl Into<Foreign>) {
        self.push(Diagnostic::error(code, message), at);
    }

    pub(crate) fn add_help(
        &mut self,
        code: &'static str,
        at: Position,
        message: impl Into<Foreign>,
        help: impl Into<Help>,
    ) {
        self.push(Diagnostic::error(code, message).with_help(help), at);
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic, at: Position) {
        self.push_anywhere(diagnostic.at(self.file, at));
    }

    /// As [`unanswered`](Self::unanswered), with what to do where a budget says nothing else.
    pub(crate) fn unanswered_of(&mut self, code: Code, at: Position, why: &Unanswered, help: &str) {
        let before = self.all.len();
        self.unanswered(code, at, why);
        if let Some(added) = self.all.get_mut(before)
            && added.help.is_empty()
        {
            added.help.push(help.into());
        }
    }

    /// A problem that has no place in the file, or has its place already.
    pub(crate) fn push_anywhere(&mut self, diagnostic: Diagnostic) {
        self.places.insert(diagnostic.at);
        self.all.push(diagnostic);
    }

    /// A name that is not known, with the one that it was most likely meant to be.
    pub(crate) fn unknown<'k>(
        &mut self,
        code: &'static str,
        at: Position,
        message: String,
        wrong: &str,
        known: impl IntoIterator<Item = &'k str> + Clone,
    ) {
        let help = match nearest(wrong, known.clone()) {
            Some(known) => format!("did you mean `{known}`?"),
            None => {
                let known: Vec<&str> = known.into_iter().collect();
                if known.is_empty() {
                    "there are none here".to_owned()
                } else {
                    format!("known here: {}", known.join(", "))
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

    /// Whether something is wrong at this very place already.
    pub(crate) fn has_at(&self, at: Position) -> bool {
        self.places.contains(&Some(at))
    }

    /// All of them, in the order of the file, each once.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        let mut said = HashSet::new();
        self.all.retain(|found| said.insert(format!("{found:?}")));
        self.all.sort_by_key(|found| found.at);
        self.all
    }
}
