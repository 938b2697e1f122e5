//! Log lines.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Foreign, ForeignValue};

mod text;

pub use text::LogText;

/// A log line, or a piece of a line that is too long to wait for its end ([`LineEnd::Open`]).
///
/// The bytes of an attempt's lines are stored in its log file; the journal keeps their offsets there
/// ([`crate::Lines`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// The source of the line.
    pub source: LogSource,
    /// The level of the line.
    pub level: LogLevel,
    /// The text, masked, without its line feed.
    #[serde(default)]
    pub message: LogText,
    /// The way the text ends; absent if a line feed follows. After an open end, the next line of
    /// the same pod and container continues the text.
    #[serde(default, skip_serializing_if = "LineEnd::is_feed")]
    pub end: LineEnd,
    /// Additional structured fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Foreign, ForeignValue>,
    /// The byte offset of the text in the attempt's log file; absent if only the event has the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

impl LogLine {
    /// Returns the field with exactly that name.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields
            .get(&Foreign::from(name))
            .map(ForeignValue::exact)
    }
}

/// The names of the fields of a pod's log line ([`LogSource::Pod`]).
pub mod log_field {
    /// `NAMESPACE/NAME` of the pod.
    pub const POD: &str = "pod";
    /// The container that wrote the line.
    pub const CONTAINER: &str = "container";
    /// The position from which a new reader of that container's log resumes once the line is
    /// stored. It is for the journal, not for readers of events.
    pub const POSITION: &str = "position";
}

/// The way the text of a [`LogLine`] ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LineEnd {
    /// With a line feed.
    #[default]
    Feed,
    /// In the middle of the line: a later piece continues it.
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

/// The source of a log line.
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

/// The level of a log line.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// Details for debugging.
    Debug,
    /// Normal operation.
    Info,
    /// A likely mistake.
    Warn,
    /// An error.
    Error,
}
