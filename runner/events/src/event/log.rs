//! Lines for people.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Foreign, ForeignValue};

/// One line for people. An attempt's lines are stored in its log file; the journal keeps their
/// places there ([`crate::Lines`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// Who says it.
    pub source: LogSource,
    /// How important it is.
    pub level: LogLevel,
    /// The text, masked, without its line end.
    #[serde(default)]
    pub message: Foreign,
    /// Facts beside the text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Foreign, ForeignValue>,
    /// Where the attempt's log file holds the text, in bytes; absent when only the event has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

impl LogLine {
    /// Returns the fact of that name, exactly.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields
            .get(&Foreign::from(name))
            .map(ForeignValue::exact)
    }
}

/// The names of the facts beside a pod's line ([`LogSource::Pod`]).
pub mod log_field {
    /// `NAMESPACE/NAME` of the pod.
    pub const POD: &str = "pod";
    /// The container that wrote it.
    pub const CONTAINER: &str = "container";
    /// What a new reading of that container's log goes on from, once the line is stored: for the
    /// journal, not for readers of events.
    pub const POSITION: &str = "position";
    /// Present on a piece that no line's end follows.
    pub const PARTIAL: &str = "partial";
}

/// Who a line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogSource {
    /// The plugin itself.
    Plugin,
    /// A pod that the step follows.
    Pod,
    /// The runner.
    Runner,
}

/// How important a line is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// For whoever hunts a bug.
    Debug,
    /// What goes on.
    Info,
    /// Likely not meant.
    Warn,
    /// Went wrong.
    Error,
}
