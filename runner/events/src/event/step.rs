//! The events of steps and attempts.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Failure, Foreign, ForeignValue, Status};

/// The reason why a step can't start yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepWaiting {
    /// The reason, as text for people.
    pub reason: Foreign,
}

/// The reason why a step will not run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepSkipped {
    /// The condition that was false.
    pub condition: Foreign,
    /// The value of each name in it.
    pub values: BTreeMap<Foreign, ForeignValue>,
    /// Whether an earlier failure is the reason.
    pub because_of_failure: bool,
}

/// The end of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepFinished {
    /// The final status.
    pub status: Status,
    /// The failure, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Its outputs, if it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<ForeignValue>,
    /// The duration of all attempts together, in milliseconds.
    pub duration_ms: u64,
}

/// The start of an incarnation of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttemptStarted {
    /// Whether an earlier incarnation of this attempt was lost.
    pub resumed: bool,
}

/// The end of an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttemptFinished {
    /// The final status.
    pub status: Status,
    /// The failure, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// A scheduled retry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetryScheduled {
    /// The time until the next attempt, in milliseconds.
    pub after_ms: u64,
    /// The entry of `retry.on` that matches the failure.
    pub because: Foreign,
}
