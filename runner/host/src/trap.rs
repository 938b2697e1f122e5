//! Turns a trap or another sudden end of a plugin into a failure.

use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::{StepState, Stopped};
use wasmtime::{Trap, WasmBacktrace};

use crate::limits::Refused;

/// The maximum number of functions in a failure's backtrace.
const MAX_FRAMES: usize = 20;

/// Returns the failure of an incarnation that ended without an answer.
pub(crate) fn failure(error: &wasmtime::Error, state: &StepState, refused: &Refused) -> Failure {
    if let Some(Stopped(failure)) = error.downcast_ref::<Stopped>() {
        return (**failure).clone();
    }
    let failed = |class, code: &'static str, message: String| {
        Failure::new(class, code, Owner::Plugin, message)
    };
    let failure = if let Some(panicked) = state.panicked() {
        failed(
            Class::Failed,
            codes::plugin::PANICKED,
            format!(
                "the plugin panicked at {}: {}",
                panicked.place, panicked.message
            ),
        )
        .with_detail("place", panicked.place.as_str())
        .with_help("this is a bug of the plugin: please report it to its author")
    } else if let Some(refusal) = refused.get() {
        failed(
            Class::Exhausted,
            codes::plugin::OUT_OF_MEMORY,
            format!(
                "the plugin requested {} MiB of memory, more than the {} MiB that {} may have",
                refusal.wanted >> 20,
                refusal.most >> 20,
                if refusal.of_all {
                    "all steps together"
                } else {
                    "it"
                },
            ),
        )
        .with_help(if refusal.of_all {
            "raise `memory` in the settings, or give the runner a larger machine"
        } else {
            "give it smaller inputs, or let it read large files as blobs"
        })
    } else {
        match error.downcast_ref::<Trap>() {
            Some(Trap::StackOverflow) => failed(
                Class::Exhausted,
                codes::plugin::STACK_OVERFLOW,
                "the plugin's calls are nested too deeply (endless recursion?)".to_owned(),
            ),
            Some(Trap::UnreachableCodeReached) => failed(
                Class::Failed,
                codes::plugin::ABORTED,
                "the plugin aborted without a message".to_owned(),
            ),
            Some(trap) => failed(
                Class::Failed,
                codes::plugin::TRAPPED,
                format!("the plugin was stopped: {trap}"),
            ),
            None => failed(
                Class::Failed,
                codes::plugin::STOPPED,
                format!("the plugin was stopped: {}", error.root_cause()),
            ),
        }
    };
    match frames(error) {
        frames if frames.is_empty() => failure,
        frames => failure.with_detail("backtrace", frames),
    }
}

fn frames(error: &wasmtime::Error) -> Vec<String> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else {
        return Vec::new();
    };
    backtrace
        .frames()
        .iter()
        .take(MAX_FRAMES)
        .map(|frame| match frame.func_name() {
            Some(name) => name.to_owned(),
            None => format!("function {}", frame.func_index()),
        })
        .collect()
}
