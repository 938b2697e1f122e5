//! The runtime's functions in a test. The bindings call them.

use std::rc::Rc;

use sidestep_contract::codes;

use super::encoding;
use super::state::{OfStep, State, running};
use crate::bindings::sidestep::host::types::{self, Encoding, Failure, Part};
use crate::bindings::sidestep::step::runtime::{Field, Level, ProgressReport};
use crate::{Class, Diagnostic, Error, Owner, Secret};

/// Uses the state of the step. A part of a plugin that logs can also be tested without a host.
fn with<T>(body: impl FnOnce(&mut OfStep) -> T) -> T {
    let state = running().unwrap_or_else(|| Rc::new(State::new()));
    body(&mut state.step.borrow_mut())
}

pub(crate) fn log(level: Level, message: &str, fields: &[Field]) {
    let level = match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    };
    let mut line = format!("{level}: {message}");
    for Field { name, value } in fields {
        line.push_str(&format!(", {name}={value}"));
    }
    with(|step| step.log.push(line));
}

pub(crate) fn group(title: &str) {
    with(|step| step.log.push(format!("group: {title}")));
}

pub(crate) fn end_group() {}

pub(crate) fn progress(report: &ProgressReport) {
    with(|step| step.progress.push(report.clone()));
}

pub(crate) fn annotate(note: &types::Diagnostic) {
    let types::Diagnostic {
        file,
        line,
        column,
        severity,
        code,
        message,
        help,
    } = note.clone();
    let note = Diagnostic {
        file,
        line,
        column,
        severity,
        code,
        message,
        help: help.into_iter().map(Into::into).collect(),
    };
    with(|step| step.notes.push(note));
}

/// Moves the clock, at most to the time of the cancellation.
pub(crate) fn sleep(milliseconds: u64) -> Result<(), Failure> {
    with(|step| {
        let end = step.now.saturating_add(milliseconds);
        match step.cancelled {
            Some(time) if time <= end => {
                step.now = step.now.max(time);
                let message = "the step was cancelled";
                let code = codes::run::CANCELLED;
                Err(Error::new(Class::Cancelled, code, Owner::Operator, message).into())
            }
            _ => {
                step.now = end;
                Ok(())
            }
        }
    })
}

pub(crate) fn now() -> u64 {
    with(|step| step.now)
}

pub(crate) fn deadline() -> Option<u64> {
    with(|step| step.deadline)
}

/// Returns bytes that differ in each call, and are the same in each run of the test.
pub(crate) fn random(length: u32) -> Vec<u8> {
    with(|step| {
        let mut byte = || {
            step.random += 1;
            // SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators).
            let mut mixed = step.random.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (mixed >> 56) as u8
        };
        (0..length).map(|_| byte()).collect()
    })
}

pub(crate) fn is_cancelled() -> bool {
    with(|step| step.cancelled.is_some_and(|time| time <= step.now))
}

pub(crate) fn attempt() -> u32 {
    with(|step| step.attempt)
}

pub(crate) fn resumed() -> bool {
    with(|step| step.resumed)
}

pub(crate) fn checkpoint(json: &str) -> Result<(), Failure> {
    let value = serde_json::from_str(json).map_err(Error::from)?;
    with(|step| step.checkpoint = Some(value));
    Ok(())
}

pub(crate) fn last_checkpoint() -> Option<String> {
    with(|step| step.checkpoint.as_ref().map(ToString::to_string))
}

pub(crate) fn object_name(purpose: &str) -> String {
    with(|step| format!("test-{}-{purpose}", step.attempt))
}

/// Does nothing: a panic fails the test, whose harness prints it.
pub(crate) fn panicked(_: &str, _: &str) {}

pub(crate) fn compose(parts: &[Part<'_>], encoding: Encoding) -> Result<Secret, Failure> {
    encoding::compose(parts, encoding).map_err(Failure::from)
}
