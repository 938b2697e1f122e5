//! Prints one line for each action to standard error, and how long each took.

use std::sync::Mutex;

use crate::phases::Phases;

static PHASES: Mutex<Phases> = Mutex::new(Phases::new());

/// Prints the current action.
pub(crate) fn doing(what: &str) {
    eprintln!("xtask: {what}");
    if let Ok(mut phases) = PHASES.lock() {
        phases.begin(what);
    }
}

/// Prints an action that runs beside others, so that its time is not measured.
pub(crate) fn beside(what: &str) {
    eprintln!("xtask: {what}");
}

/// Prints that an action is skipped, and why.
pub(crate) fn not_run(what: &str, why: &str) {
    eprintln!("xtask: not run: {what}: {why}");
}

/// Prints how long each printed action took.
pub(crate) fn times() {
    if let Ok(mut phases) = PHASES.lock() {
        for line in phases.end() {
            eprintln!("xtask: {line}");
        }
    }
}
