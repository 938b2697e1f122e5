//! The stable interface for reporters and scripts: the events of a run, the statuses of its steps,
//! the plugins that they use, its failures, its journal's records and its exit codes.
//!
//! This crate holds types, and [`show`], the only way from untrusted text to a screen. It must not
//! know how a run is executed, where it is stored, or how it is reported. Every other crate may
//! depend on it, and it depends on none of them.

pub mod commands;
mod cut;
mod diagnostic;
mod envelope;
mod event;
mod exit;
mod failure;
mod foreign;
mod help;
mod journal;
mod lines;
mod plugin_ref;
mod rule;
pub mod show;
mod speaker;
mod status;

pub use cut::cut;
pub use diagnostic::{Diagnostic, Place, Position, Severity};
pub use envelope::{Envelope, FORMAT_VERSION, SpanId, TraceId};
pub use event::{
    AttemptFinished, AttemptStarted, CleanedUp, Event, Going, GrantSource, HostCall, LineEnd,
    LogLevel, LogLine, LogSource, LogText, PlannedGrant, PlannedStep, Progress, RetryScheduled,
    RunFinished, RunStarted, StepFinished, StepSkipped, StepWaiting, WarningRaised, log_field,
};
pub use exit::Exit;
pub use failure::Failure;
pub use foreign::{Foreign, ForeignValue};
pub use help::Help;
pub use journal::{
    Checkpoint, Done, Header, Intent, IntentId, JOURNAL_VERSION, Location, OnExit, Output, Record,
};
pub use lines::{LineKind, LinePlace, Lines, LinesOf, LogOwner};
pub use plugin_ref::{BuiltInName, InvalidPluginRef, OciReference, PluginFile, PluginRef};
pub use rule::{Evidence, Mark, RULES, Rule};
pub use sidestep_contract::{Class, Command, Owner, Piece, Value, codes};
pub use speaker::Speaker;
pub use status::Status;
