//! Events that do not change the status of a run or a step.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Failure, Foreign, Help, codes};

/// The progress of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The operation in progress: `uploading`, `pod Running`.
    pub label: Foreign,
    /// The completed amount, in `unit`.
    pub done: u64,
    /// The total amount, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// `bytes`, `files`, or empty if there is no amount.
    #[serde(default)]
    pub unit: Foreign,
}

/// A host call, allowed or refused by the gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HostCall {
    /// The capability's grant key.
    pub capability: Foreign,
    /// The function.
    pub function: Foreign,
    /// The resource that the call touched, as text for people; never a secret.
    pub target: Foreign,
    /// Whether the gate allowed the call.
    pub allowed: bool,
    /// The failure's code, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Foreign>,
    /// The duration, in microseconds.
    pub duration_us: u64,
}

/// A warning about a likely mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WarningRaised {
    /// The warning's code, with dots.
    #[schemars(with = "codes::Code")]
    pub code: Foreign,
    /// The warning's text, for people.
    pub message: Foreign,
    /// The next steps, one per entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<Help>,
}

/// An object whose deletion was accepted, but that still exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Going {
    /// Its uid.
    pub uid: Foreign,
    /// The latest time at which its processes are killed, if the cluster reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// The result of cleaning up an external object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CleanedUp {
    /// Its kind.
    pub kind: Foreign,
    /// Its name and location, for people.
    pub name: Foreign,
    /// Whether it no longer exists.
    pub removed: bool,
    /// The pending deletion, if the object still exists and is being removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub going: Option<Going>,
    /// The reason why it could not be removed: the deletion was refused, or its result is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}
