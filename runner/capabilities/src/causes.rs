//! What lies behind an error.

use std::error::Error;

/// The error's causes, the nearest first.
pub(crate) fn of<'a>(error: &'a dyn Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

/// The error and its causes, each said once.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    for cause in of(error).map(ToString::to_string) {
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// The last cause, after a colon; nothing where there is none.
pub(crate) fn last(error: &dyn Error) -> String {
    of(error)
        .last()
        .map(|cause| format!(": {cause}"))
        .unwrap_or_default()
}
