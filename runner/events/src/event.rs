//! The events of a run.

mod log;
mod remark;
mod run;
mod step;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Diagnostic, Foreign};

pub use log::{LineEnd, LogLevel, LogLine, LogSource, LogText, log_field};
pub use remark::{CleanedUp, Going, HostCall, Progress, WarningRaised};
pub use run::{GrantSource, PlannedGrant, PlannedStep, RunFinished, RunStarted};
pub use step::{
    AttemptFinished, AttemptStarted, RetryScheduled, StepFinished, StepSkipped, StepWaiting,
};

/// An event of a run. Readers must ignore types and fields that they don't know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "data", rename_all = "kebab-case")]
pub enum Event {
    /// The run starts, or is resumed.
    RunStarted(RunStarted),
    /// A step can't start yet.
    StepWaiting(StepWaiting),
    /// A step will not run.
    StepSkipped(StepSkipped),
    /// A step has ended.
    StepFinished(StepFinished),
    /// An incarnation of an attempt starts.
    AttemptStarted(AttemptStarted),
    /// An attempt has ended.
    AttemptFinished(AttemptFinished),
    /// A failed attempt will be retried.
    RetryScheduled(RetryScheduled),
    /// A log line.
    Log(LogLine),
    /// A group of log lines starts.
    GroupStarted {
        /// Its title.
        title: Foreign,
    },
    /// The innermost group of log lines ends.
    GroupFinished {},
    /// The progress of an operation.
    Progress(Progress),
    /// A diagnostic for a position in a file.
    Annotation(Diagnostic),
    /// A plugin called the host.
    HostCall(HostCall),
    /// A warning, which stops nothing.
    Warning(WarningRaised),
    /// The host removed or kept an external object of a step.
    CleanedUp(CleanedUp),
    /// The run has ended.
    RunFinished(RunFinished),
    /// An event type of a later version.
    #[serde(untagged)]
    Unknown(Value),
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
