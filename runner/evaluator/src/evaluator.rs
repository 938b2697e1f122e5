use std::fmt::Debug;

use crate::{Answer, Question, Stopped};

/// Answers questions about expressions, schemas and patterns, within limits of steps and memory.
pub trait Evaluator: Debug + Send + Sync {
    /// Answers a question, or says which budget it uses up. It blocks for as long as the steps of
    /// one evaluation take.
    fn ask(&self, question: &Question<'_>) -> Result<Answer, Stopped>;

    /// Takes steps that the caller is about to make from the run's, or says that they are used up.
    fn charge(&self, steps: u64) -> Result<(), Stopped>;
}

/// An evaluator that answers nothing: for a host whose plugins have no outputs to check.
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
