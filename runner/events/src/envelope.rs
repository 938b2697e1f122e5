use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sidestep_names::{Encoding, Kind};

use crate::{Event, Foreign};

/// The version of the event format that is written. New types and fields do not change it.
pub const FORMAT_VERSION: u32 = 1;

/// One event of one run: a line of `--output json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// The format's version.
    pub v: u32,
    /// The run's id.
    pub run: Foreign,
    /// Counts the run's events from 1, without gaps, across resumes.
    pub seq: u64,
    /// The time of the event.
    pub time: Timestamp,
    /// The step's id in the file; absent for the run itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Foreign>,
    /// The step's instance: the id, with the matrix values if the step has a matrix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<Foreign>,
    /// The number of the attempt, from 1; each retry is a new attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The number of the attempt's incarnation, from 1; `resume` starts a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u32>,
    /// The run's trace: 32 hex digits (W3C Trace Context).
    pub trace: TraceId,
    /// The span that the event belongs to: 16 hex digits.
    pub span: SpanId,
    /// The span's parent; absent at the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<SpanId>,
    /// The event itself.
    #[serde(flatten)]
    pub event: Event,
}

/// A trace id (W3C Trace Context): 16 bytes, in hex.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TraceId(String);

/// A span id (W3C Trace Context): 8 bytes, in hex.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SpanId(String);

impl TraceId {
    /// Returns the trace of a run: the trace in `TRACEPARENT` if that is well formed, otherwise a
    /// function of the run's id, so that a resumed run joins the same trace.
    pub fn of_run(run: &str, traceparent: Option<&str>) -> Self {
        Self(traceparent.and_then(trace_of_parent).map_or_else(
            || hex::encode(&Encoding::of(Kind::Trace).text(run).sha256()[..16]),
            str::to_owned,
        ))
    }
}

impl SpanId {
    /// Returns the run's own span.
    pub fn of_run(run: &str) -> Self {
        Self(hex::encode(
            &Encoding::of(Kind::RunSpan).text(run).sha256()[..8],
        ))
    }

    /// Returns the span of one attempt of one step instance.
    pub fn of_attempt(run: &str, instance: &str, attempt: u32) -> Self {
        let attempt = Encoding::of(Kind::AttemptSpan)
            .text(run)
            .text(instance)
            .number(attempt.into());
        Self(hex::encode(&attempt.sha256()[..8]))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the trace id of a `TRACEPARENT` value, `00-TRACE-PARENT-FLAGS` (W3C Trace Context,
/// section 3.2).
fn trace_of_parent(value: &str) -> Option<&str> {
    let mut parts = value.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let (parent, flags) = (parts.next()?, parts.next()?);
    let well_formed = |text: &str, length: usize| {
        text.len() == length
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let usable = well_formed(version, 2)
        && version != "ff"
        && well_formed(trace, 32)
        && trace.bytes().any(|b| b != b'0')
        && well_formed(parent, 16)
        && well_formed(flags, 2);
    usable.then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resumed_run_joins_its_trace() {
        assert_eq!(TraceId::of_run("r1", None), TraceId::of_run("r1", None));
        assert_ne!(TraceId::of_run("r1", None), TraceId::of_run("r2", None));
        assert_ne!(
            SpanId::of_attempt("r1", "a", 11),
            SpanId::of_attempt("r1", "a1", 1)
        );
        assert_eq!(TraceId::of_run("r1", None).to_string().len(), 32);
    }

    #[test]
    fn traceparent_is_used_only_when_well_formed() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(
            TraceId::of_run("r", Some(good)).to_string(),
            "0af7651916cd43dd8448eb211c80319c"
        );
        for bad in [
            "",
            "00",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "x-y-z-w",
        ] {
            assert_eq!(
                TraceId::of_run("r", Some(bad)),
                TraceId::of_run("r", None),
                "{bad}"
            );
        }
    }
}
