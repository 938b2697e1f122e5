//! One line for each thing that is done, on standard error, and how long each took.

use std::sync::Mutex;

use crate::phases::Phases;

static PHASES: Mutex<Phases> = Mutex::new(Phases::new());

/// Says what is being done now.
pub(crate) fn doing(what: &str) {
    eprintln!("xtask: {what}");
    if let Ok(mut phases) = PHASES.lock() {
        phases.begin(what);
    }
}

/// Says that something is not done, and why.
pub(crate) fn not_run(what: &str, why: &str) {
    eprintln!("xtask: not run: {what}: {why}");
}

/// Prints how long everything took that was said to be done.
pub(crate) fn times() {
    if let Ok(mut phases) = PHASES.lock() {
        for line in phases.end() {
            eprintln!("xtask: {line}");
        }
    }
}
