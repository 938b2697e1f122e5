use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Analysis;

/// The longest expression, in bytes.
pub const MAX_EXPRESSION: usize = 2048;

/// What the evaluator is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question<'a> {
    /// What an expression reads and calls: [`Answer::Analysis`].
    Analyse {
        /// The expression, in CEL.
        text: Cow<'a, str>,
    },
    /// What an expression yields: [`Answer::Value`].
    Evaluate {
        /// The expression, in CEL.
        text: Cow<'a, str>,
        /// The variables that it can read.
        variables: BTreeMap<Cow<'a, str>, Cow<'a, Value>>,
        /// What `success()` and its like answer.
        statuses: Statuses,
    },
    /// What a JSON Schema (draft 2020-12) finds wrong with a value: [`Answer::Findings`].
    Validate {
        /// The schema.
        schema: Cow<'a, Value>,
        /// The value.
        value: Cow<'a, Value>,
    },
    /// Whether a text matches a regular expression: [`Answer::Matches`].
    Match {
        /// The regular expression, in the syntax of the `regex` crate.
        pattern: Cow<'a, str>,
        /// The text.
        text: Cow<'a, str>,
    },
}

/// What the evaluator answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// To [`Question::Analyse`].
    Analysis(Analysis),
    /// To [`Question::Evaluate`].
    Value(Value),
    /// To [`Question::Validate`].
    Findings(Vec<Finding>),
    /// To [`Question::Match`].
    Matches(bool),
    /// The expression, schema or pattern is wrong: one sentence that says why.
    Wrong(String),
}

/// What the status functions answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statuses {
    /// `success()`.
    pub success: bool,
    /// `failure()`.
    pub failure: bool,
    /// `cancelled()`.
    pub cancelled: bool,
}

impl Default for Statuses {
    fn default() -> Self {
        Self {
            success: true,
            failure: false,
            cancelled: false,
        }
    }
}

/// What a schema finds wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Where in the value, as a JSON pointer.
    pub pointer: String,
    /// What is wrong. It names places and rules, never values.
    pub message: String,
    /// Keys that the schema does not know.
    pub unexpected: Vec<String>,
    /// Whether alternatives were tried, so that a part which is not known yet may decide.
    pub alternatives: bool,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.pointer.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(
                f,
                "{}: {}",
                self.pointer.trim_start_matches('/').replace('/', "."),
                self.message
            )
        }
    }
}
