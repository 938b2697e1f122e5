//! The events of steps and attempts.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Failure, Foreign, ForeignValue, Status};

/// Why a step can't start yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepWaiting {
    /// What it waits for, for people.
    pub reason: Foreign,
}

/// Why a step will not run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepSkipped {
    /// The condition that was false.
    pub condition: Foreign,
    /// The value of each name in it.
    pub values: BTreeMap<Foreign, ForeignValue>,
    /// Whether a failure before it is the reason.
    pub because_of_failure: bool,
}

/// A step's end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepFinished {
    /// How it ended.
    pub status: Status,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Its outputs, if it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<ForeignValue>,
    /// How long it took, all attempts together, in milliseconds.
    pub duration_ms: u64,
}

/// The beginning of an incarnation.
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
    /// How it ended.
    pub status: Status,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Another attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetryScheduled {
    /// When, in milliseconds from now.
    pub after_ms: u64,
    /// The entry of `retry.on` that names the failure.
    pub because: Foreign,
}
