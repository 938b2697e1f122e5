//! The evaluator: parses and evaluates expressions and conditions (CEL), JSON Schemas and
//! patterns.
//!
//! The host runs this crate as a WebAssembly module within limits of steps and memory, because
//! an evaluation of untrusted input may not terminate. [`Native`] offers the same functions as an
//! ordinary library, for tests of crates that must not depend on a host.
//!
//! This crate must not do any IO.

#[cfg(target_family = "wasm")]
mod abi;
mod cel_value;
mod claims;
mod condition;
mod expression;
#[cfg(test)]
mod federation_tests;
mod functions;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod kinds;
mod limits;
mod pattern;
#[cfg(test)]
mod plain_schema_tests;
#[cfg(test)]
mod plain_tests;
mod read;
mod remembered;
mod schema;
#[cfg(test)]
mod tests;
mod tree;
#[cfg(test)]
mod types_tests;
mod walk;

use std::borrow::Cow;

use sidestep_evaluator::{Answer, Evaluator, Question, Stopped};

/// Answers a question.
pub fn answer(question: &Question<'_>) -> Answer {
    answer_with(question, |schema| schema.to_string().into())
}

/// Answers a question whose schema is given as `S`; `text` returns its JSON.
fn answer_with<'a, S>(
    question: &'a Question<'_, S>,
    text: impl Fn(&'a S) -> Cow<'a, str>,
) -> Answer {
    let answer = match question {
        Question::Analyse { text, tree } => {
            read::expression(text).map(|read| Answer::Analysis(read.answer(*tree)))
        }
        Question::Evaluate {
            text,
            variables,
            statuses,
        } => expression::evaluate(text, variables, *statuses).map(Answer::Value),
        Question::Validate { schema, value } => {
            schema::validate(&text(schema), value).map(Answer::Findings)
        }
        Question::Match { pattern, text } => pattern::matches(pattern, text).map(Answer::Matches),
        Question::Condition { text, attributes } => {
            Ok(Answer::Truth(condition::decide(text, attributes)))
        }
        Question::Claims { text, variables } => {
            claims::evaluate(text, variables).map(Answer::Value)
        }
    };
    answer.unwrap_or_else(Answer::Wrong)
}

/// The evaluator without a host, and so without limits: for tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct Native;

/// The stack size: the parser and the interpreter recurse, and unoptimised code for the longest
/// expression fits with room to spare.
const STACK: usize = 16 << 20;

impl Evaluator for Native {
    fn ask(&self, question: &Question<'_>) -> Result<Answer, Stopped> {
        std::thread::scope(|scope| {
            std::thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, || answer(question))
                .map_err(|error| Stopped::Broken(error.to_string()))?
                .join()
                .map_err(|_| Stopped::Broken("it panicked".to_owned()))
        })
    }

    fn charge(&self, _: u64) -> Result<(), Stopped> {
        Ok(())
    }
}
