//! The format of log lines in the journal.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Foreign, ForeignValue, LineEnd, LogLevel, LogSource, TraceId};

/// Log lines that follow on each other, of any attempts. Their text lies in the attempts' log
/// files; readers make one `log` event of each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lines {
    /// The first line's `seq`; the others count on from it.
    pub seq: u64,
    /// When the first line came.
    pub time: Timestamp,
    /// The run's trace.
    pub trace: TraceId,
    /// The attempts whose lines these are.
    pub attempts: Vec<LinesOf>,
    /// What lines have in common.
    pub kinds: Vec<LineKind>,
    /// The lines in order.
    pub lines: Vec<LinePlace>,
}

/// An attempt with lines in a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinesOf {
    /// The incarnation that they are of.
    pub of: LogOwner,
    /// Where the first of these lines begins in the attempt's log file, in bytes. The others
    /// follow on, each with its end.
    pub offset: u64,
    /// Where the reading of followed pods' logs stands after these lines: by pod
    /// (`NAMESPACE/NAME`), then by container.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub positions: BTreeMap<String, BTreeMap<String, Value>>,
}

/// Whose lines they are.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct LogOwner {
    /// The step's id in the file.
    pub step: String,
    /// The step's instance.
    pub instance: String,
    /// The try counted by `retry`, from 1.
    pub attempt: u32,
    /// The Store of that attempt, from 1.
    pub incarnation: u32,
}

/// What lines have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LineKind {
    /// The index of their attempt.
    pub attempt: usize,
    /// Who says them.
    pub source: LogSource,
    /// How important they are.
    pub level: LogLevel,
    /// How their text ends: a line feed is a byte of the log file.
    #[serde(default, skip_serializing_if = "LineEnd::is_feed")]
    pub end: LineEnd,
    /// Facts beside the text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Foreign, ForeignValue>,
}

/// One line: the index of its kind, how many bytes of text it has without its end, and how many microseconds it
/// came after the line before it (0 for the first).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinePlace(pub usize, pub u64, pub i64);
