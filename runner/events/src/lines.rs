//! The format of log lines in the journal.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Foreign, ForeignValue, LineEnd, LogLevel, LogSource, TraceId};

/// Consecutive log lines of any attempts. Their text is in the attempts' log
/// files; readers make one `log` event of each line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lines {
    /// The first line's `seq`; the other lines have the following numbers.
    pub seq: u64,
    /// The time of the first line.
    pub time: Timestamp,
    /// The run's trace.
    pub trace: TraceId,
    /// The attempts that the lines belong to.
    pub attempts: Vec<LinesOf>,
    /// The properties that lines share.
    pub kinds: Vec<LineKind>,
    /// The lines in order.
    pub lines: Vec<LinePlace>,
}

/// An attempt with lines in a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinesOf {
    /// The incarnation that the lines belong to.
    pub of: LogOwner,
    /// The byte offset of the first of these lines in the attempt's log file. The others follow
    /// it, each with its end.
    pub offset: u64,
    /// The read positions in the logs of followed pods after these lines: by pod
    /// (`NAMESPACE/NAME`), then by container.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub positions: BTreeMap<String, BTreeMap<String, Value>>,
}

/// The step incarnation that lines belong to.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct LogOwner {
    /// The step's id in the file.
    pub step: String,
    /// The step's instance.
    pub instance: String,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The number of the incarnation of that attempt, from 1.
    pub incarnation: u32,
}

/// Properties that several lines share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LineKind {
    /// The index of their attempt.
    pub attempt: usize,
    /// The source of the lines.
    pub source: LogSource,
    /// The level of the lines.
    pub level: LogLevel,
    /// The way their text ends: a line feed is a byte of the log file.
    #[serde(default, skip_serializing_if = "LineEnd::is_feed")]
    pub end: LineEnd,
    /// Additional structured fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Foreign, ForeignValue>,
}

/// One line: the index of its kind, the length of its text in bytes without its end, and the time
/// since the previous line in microseconds (0 for the first).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinePlace(pub usize, pub u64, pub i64);
