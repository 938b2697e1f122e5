use std::fmt::Debug;

use crate::{Answer, Question, Stopped};

/// Answers questions about expressions, schemas, patterns and conditions, within limits of steps and memory.
pub trait Evaluator: Debug + Send + Sync {
    /// Answers a question, or returns the budget that it exceeds. It blocks until the evaluation
    /// ends.
    fn ask(&self, question: &Question<'_>) -> Result<Answer, Stopped>;

    /// Returns the answer to a question that takes no time, such as one about a plain reference;
    /// `None` for every other one.
    fn ask_at_once(&self, _: &Question<'_>) -> Option<Answer> {
        None
    }

    /// Charges the caller's own steps to the run's budget, or returns that the budget is exceeded.
    fn charge(&self, steps: u64) -> Result<(), Stopped>;
}

/// An evaluator without answers, for a host whose plugins have no outputs to check.
#[derive(Debug, Clone, Copy, Default)]
pub struct Absent;

impl Evaluator for Absent {
    fn ask(&self, _: &Question<'_>) -> Result<Answer, Stopped> {
        Err(Stopped::Broken("this host was given none".to_owned()))
    }

    fn charge(&self, _: u64) -> Result<(), Stopped> {
        Ok(())
    }
}
