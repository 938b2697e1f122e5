use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Diagnostic, Failure, Status};

/// What happened. Readers ignore types and fields that they don't know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "data", rename_all = "kebab-case")]
pub enum Event {
    /// The run begins, or goes on after a resume.
    RunStarted(RunStarted),
    /// A step can't start yet.
    StepWaiting(StepWaiting),
    /// A step will not run.
    StepSkipped(StepSkipped),
    /// A step is over.
    StepFinished(StepFinished),
    /// An incarnation of an attempt begins.
    AttemptStarted(AttemptStarted),
    /// An attempt is over.
    AttemptFinished(AttemptFinished),
    /// Another attempt will be made.
    RetryScheduled(RetryScheduled),
    /// A line for people.
    Log(LogLine),
    /// A group of lines begins.
    GroupStarted {
        /// Its title.
        title: String,
    },
    /// The innermost group of lines ends.
    GroupFinished {},
    /// How far something is.
    Progress(Progress),
    /// A remark on a place in a file.
    Annotation(Diagnostic),
    /// A plugin called the host.
    HostCall(HostCall),
    /// Something likely not meant, which stopped nothing.
    Warning(WarningRaised),
    /// The host removed, or kept, what a step had made outside.
    CleanedUp(CleanedUp),
    /// The run is over.
    RunFinished(RunFinished),
    /// A type of a later version.
    #[serde(untagged)]
    Unknown(Value),
}

/// A run's beginning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunStarted {
    /// The pipeline's name.
    pub pipeline: String,
    /// The file that it was read from, relative to the workspace; absent for an embedded one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The runner's version.
    pub version: String,
    /// `sha256:` of the plan.
    pub plan_digest: String,
    /// The sandbox scenario; absent against the real cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
    /// Whether an earlier process began this run.
    pub resumed: bool,
    /// The plan's steps, in the order of the file.
    pub steps: Vec<PlannedStep>,
}

/// A step as the plan has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedStep {
    /// Its id in the file.
    pub id: String,
    /// Its instance.
    pub instance: String,
    /// The plugin, as the file names it.
    pub uses: String,
    /// `sha256:` of the plugin's bytes.
    pub plugin_digest: String,
    /// The ids of the steps that it waits for.
    pub needs: Vec<String>,
    /// What it may touch.
    pub grants: Vec<PlannedGrant>,
}

/// One capability that a step may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedGrant {
    /// The capability's grant key.
    pub capability: String,
    /// The scopes, in words for people: `read services/api/**`.
    pub scopes: Vec<String>,
    /// Where the grant comes from.
    pub source: GrantSource,
}

/// Where a grant comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GrantSource {
    /// A built-in plugin's own request.
    BuiltIn,
    /// The pipeline's `grants`.
    Pipeline,
}

/// Why a step can't start yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepWaiting {
    /// What it waits for, for people.
    pub reason: String,
}

/// Why a step will not run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepSkipped {
    /// The condition that was false.
    pub condition: String,
    /// The value of each name in it.
    pub values: BTreeMap<String, Value>,
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
    pub outputs: Option<Value>,
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
    pub because: String,
}

/// One line for people. A line of an outside process is stored in the attempt's log file; the
/// journal keeps its place there and leaves out the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// Who says it.
    pub source: LogSource,
    /// How important it is.
    pub level: LogLevel,
    /// The text, masked, without its line end.
    #[serde(default)]
    pub message: String,
    /// Facts beside the text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Value>,
    /// Where the attempt's log file holds the text, in bytes; absent when only the event has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

/// The names of the facts beside a pod's line ([`LogSource::Pod`]).
pub mod log_field {
    /// `NAMESPACE/NAME` of the pod.
    pub const POD: &str = "pod";
    /// The container that wrote it.
    pub const CONTAINER: &str = "container";
    /// What a new reading of that container's log goes on from, once the line is stored.
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

/// How far something is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// What is under way: `uploading`, `pod Running`.
    pub label: String,
    /// How much is done, in `unit`.
    pub done: u64,
    /// How much there is, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// `bytes`, `files`, or empty for a bare state.
    #[serde(default)]
    pub unit: String,
}

/// One call that passed, or was stopped by, the gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HostCall {
    /// The capability's grant key.
    pub capability: String,
    /// The function.
    pub function: String,
    /// What it touched, for people; never a secret.
    pub target: String,
    /// Whether the gate let it through.
    pub allowed: bool,
    /// The failure's code, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How long it took, in microseconds.
    pub duration_us: u64,
}

/// Something likely not meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WarningRaised {
    /// The exact warning, dotted.
    pub code: String,
    /// What it is, for people.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<String>,
}

/// What happened to an outside object at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CleanedUp {
    /// Its kind.
    pub kind: String,
    /// Its name and place, for people.
    pub name: String,
    /// Whether it is gone.
    pub removed: bool,
    /// Why it could not be removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// The run's end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunFinished {
    /// How it ended.
    pub status: Status,
    /// The exit code of the process.
    pub exit: u8,
    /// The pipeline's outputs, after a run that succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Value>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Envelope, FORMAT_VERSION, SpanId, TraceId};

    fn envelope(event: Event) -> Envelope {
        Envelope {
            v: FORMAT_VERSION,
            run: "r".into(),
            seq: 1,
            time: "2026-01-02T03:04:05Z".parse().expect("a valid time"),
            step: None,
            instance: None,
            attempt: None,
            incarnation: None,
            trace: TraceId::of_run("r", None),
            span: SpanId::of_run("r"),
            parent: None,
            event,
        }
    }

    #[test]
    fn an_event_lies_flat_in_its_envelope() {
        let event = Event::RetryScheduled(RetryScheduled {
            after_ms: 5,
            because: "pod".into(),
        });
        let json = serde_json::to_value(envelope(event.clone())).expect("serialisable");
        assert_eq!(json["type"], "retry-scheduled");
        assert_eq!(json["data"]["afterMs"], 5);
        assert_eq!(
            serde_json::from_value::<Envelope>(json)
                .expect("its own form")
                .event,
            event
        );
    }

    #[test]
    fn a_type_of_a_later_version_is_kept_not_refused() {
        let mut json = serde_json::to_value(envelope(Event::GroupFinished {})).expect("json");
        json["type"] = "sky-fell".into();
        json["data"] = serde_json::json!({"how": "slowly"});
        let read: Envelope =
            serde_json::from_value(json).expect("readers ignore what they don't know");
        assert!(matches!(read.event, Event::Unknown(_)), "{read:?}");
    }
}
