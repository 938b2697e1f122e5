//! Log lines.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Foreign, ForeignValue};

mod text;

pub use text::LogText;

/// A line for people, or a piece of one that is too long to wait for its end ([`LineEnd::Open`]).
///
/// The bytes of an attempt's lines are stored in its log file; the journal keeps their places there
/// ([`crate::Lines`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// Who says it.
    pub source: LogSource,
    /// How important it is.
    pub level: LogLevel,
    /// The text, masked, without its line feed.
    #[serde(default)]
    pub message: LogText,
    /// How the text ends; absent where a line feed follows. The next line of the same pod and
    /// container goes on with an open one.
    #[serde(default, skip_serializing_if = "LineEnd::is_feed")]
    pub end: LineEnd,
    /// Facts beside the text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Foreign, ForeignValue>,
    /// Where the attempt's log file holds the text, in bytes; absent when only the event has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

impl LogLine {
    /// Returns the fact with exactly that name.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields
            .get(&Foreign::from(name))
            .map(ForeignValue::exact)
    }
}

/// The names of the facts of a pod's log line ([`LogSource::Pod`]).
pub mod log_field {
    /// `NAMESPACE/NAME` of the pod.
    pub const POD: &str = "pod";
    /// The container that wrote the line.
    pub const CONTAINER: &str = "container";
    /// The position from which a new reader of that container's log resumes once the line is
    /// stored. It is for the journal, not for readers of events.
    pub const POSITION: &str = "position";
}

/// How the text of a [`LogLine`] ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LineEnd {
    /// With a line feed.
    #[default]
    Feed,
    /// In the middle of the line: a later piece goes on with it.
    Open,
    /// Without a line feed: the log ends here, or the rest of the line is lost.
    Missing,
}

impl LineEnd {
    /// Returns whether a line feed follows the text.
    pub fn is_feed(&self) -> bool {
        *self == Self::Feed
    }

    /// Returns the bytes that follow the text in the log file.
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Self::Feed => b"\n",
            Self::Open | Self::Missing => b"",
        }
    }
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
