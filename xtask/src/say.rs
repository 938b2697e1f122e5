//! One line for each thing that is done, on standard error.

/// Says what is being done now.
pub(crate) fn doing(what: &str) {
    eprintln!("xtask: {what}");
}

/// Says that something is not done, and why.
pub(crate) fn not_run(what: &str, why: &str) {
    eprintln!("xtask: not run: {what}: {why}");
}
