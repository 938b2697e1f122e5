//! Events that do not change the status of a run or a step.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Failure, Foreign, Help, codes};

/// How far something is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// What is under way: `uploading`, `pod Running`.
    pub label: Foreign,
    /// How much is done, in `unit`.
    pub done: u64,
    /// How much there is, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// `bytes`, `files`, or empty for a bare state.
    #[serde(default)]
    pub unit: Foreign,
}

/// One call that passed, or was stopped by, the gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HostCall {
    /// The capability's grant key.
    pub capability: Foreign,
    /// The function.
    pub function: Foreign,
    /// What it touched, for people; never a secret.
    pub target: Foreign,
    /// Whether the gate let it through.
    pub allowed: bool,
    /// The failure's code, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Foreign>,
    /// How long it took, in microseconds.
    pub duration_us: u64,
}

/// Something likely not meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WarningRaised {
    /// The exact warning, dotted.
    #[schemars(with = "codes::Code")]
    pub code: Foreign,
    /// What it is, for people.
    pub message: Foreign,
    /// What to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<Help>,
}

/// An object whose deletion was accepted, and that is still there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Going {
    /// Its uid.
    pub uid: Foreign,
    /// When its processes are killed at the latest, where the cluster says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What happened to an outside object at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CleanedUp {
    /// Its kind.
    pub kind: Foreign,
    /// Its name and place, for people.
    pub name: Foreign,
    /// Whether it is gone.
    pub removed: bool,
    /// That it is still there, and being removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub going: Option<Going>,
    /// Why it could not be removed: the deletion was refused, or what became of it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}
