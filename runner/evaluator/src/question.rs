use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Analysis;

/// The maximum length of an expression, in bytes.
pub const MAX_EXPRESSION: usize = 2048;

/// The maximum length of a condition of an IAM policy, in bytes.
pub const MAX_CONDITION: usize = 4096;

/// A question to the evaluator. `S` is a schema: a value for those who ask, its text for the
/// evaluator, which parses each schema once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question<'a, S = Cow<'a, Value>> {
    /// Asks for the names and functions of an expression; the answer is [`Answer::Analysis`].
    Analyse {
        /// The expression, in CEL.
        text: Cow<'a, str>,
        /// Whether the answer holds the parsed expression, whose types are checked.
        #[serde(default)]
        tree: bool,
    },
    /// Asks for the value of an expression; the answer is [`Answer::Value`].
    Evaluate {
        /// The expression, in CEL.
        text: Cow<'a, str>,
        /// The variables that it can read.
        variables: BTreeMap<Cow<'a, str>, Cow<'a, Value>>,
        /// The results of `success()` and the other status functions.
        statuses: Statuses,
    },
    /// Asks for the violations of a JSON Schema (draft 2020-12) by a value; the answer is
    /// [`Answer::Findings`].
    Validate {
        /// The schema.
        schema: S,
        /// The value.
        value: Cow<'a, Value>,
    },
    /// Asks whether a text matches a regular expression; the answer is [`Answer::Matches`].
    Match {
        /// The regular expression, in the syntax of the `regex` crate.
        pattern: Cow<'a, str>,
        /// The text.
        text: Cow<'a, str>,
    },
    /// Asks whether a condition of an IAM policy holds; the answer is [`Answer::Truth`].
    Condition {
        /// The condition, in CEL.
        text: Cow<'a, str>,
        /// The attributes that it can read.
        attributes: Attributes<'a>,
    },
    /// Asks for the value of an expression of a workload identity provider, which is one of its
    /// attribute mapping or a part of its condition; the answer is [`Answer::Value`].
    Claims {
        /// The expression, in CEL.
        text: Cow<'a, str>,
        /// The variables that it can read: `assertion`, and in a condition `google` and
        /// `attribute`.
        variables: BTreeMap<Cow<'a, str>, Cow<'a, Value>>,
    },
}

/// The attributes that a condition of an IAM policy can read
/// (<https://cloud.google.com/iam/docs/conditions-attribute-reference>).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Attributes<'a> {
    /// The time of the request, `request.time`, in RFC 3339.
    pub request_time: Cow<'a, str>,
    /// The relative name of the resource, `resource.name`. A condition that reads an absent
    /// attribute is unknown.
    pub resource_name: Option<Cow<'a, str>>,
    /// The service of the resource, `resource.service`.
    pub resource_service: Option<Cow<'a, str>>,
    /// The type of the resource, `resource.type`.
    pub resource_type: Option<Cow<'a, str>>,
}

/// An answer of the evaluator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The answer to [`Question::Analyse`].
    Analysis(Analysis),
    /// The answer to [`Question::Evaluate`] and to [`Question::Claims`].
    Value(Value),
    /// The answer to [`Question::Validate`].
    Findings(Vec<Finding>),
    /// The answer to [`Question::Match`].
    Matches(bool),
    /// The answer to [`Question::Condition`].
    Truth(Truth),
    /// The expression, schema or pattern is wrong; the text is one sentence with the reason.
    Wrong(String),
}

/// Whether a condition holds, in three values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Truth {
    /// The condition holds.
    True,
    /// The condition does not hold.
    False,
    /// The condition cannot be decided; the text is one sentence with the reason.
    Unknown(String),
}

/// The results of the status functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statuses {
    /// The result of `success()`.
    pub success: bool,
    /// The result of `failure()`.
    pub failure: bool,
    /// The result of `cancelled()`.
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

/// A violation of a schema by a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The place in the value, as a JSON pointer.
    pub pointer: String,
    /// The error message. It names places and rules, never values.
    pub message: String,
    /// Keys that the schema does not declare.
    pub unexpected: Vec<String>,
    /// Whether the schema has alternatives, so that a part that is not known yet may decide.
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
