//! Answers questions that need no evaluator: expressions that are a single name or a status
//! function, and values that fit a schema of common keywords.
//!
//! Most steps ask nothing else, and then the evaluator is not loaded at all.

mod reference;
mod schema;
mod status;

use crate::{Answer, Question};

/// Answers a question about a plain reference, such as `inputs.tag` or `steps.build.outputs.image`,
/// about a status function, such as `success()`, or about a value that fits a schema of common
/// keywords.
///
/// The answer is the same as the evaluator's. Returns `None` for every other question, for a
/// missing value, and for a value that does not fit, so that the evaluator reports the error.
pub fn plain(question: &Question<'_>) -> Option<Answer> {
    match question {
        Question::Analyse { text, .. } => status::analyse(text)
            .or_else(|| reference::analyse(text))
            .map(Answer::Analysis),
        Question::Evaluate {
            text,
            variables,
            statuses,
        } => status::evaluate(text, *statuses)
            .or_else(|| reference::evaluate(text, variables))
            .map(Answer::Value),
        Question::Validate { schema, value } => {
            schema::fits(schema, value).then(|| Answer::Findings(Vec::new()))
        }
        Question::Match { .. } | Question::Condition { .. } | Question::Claims { .. } => None,
    }
}
