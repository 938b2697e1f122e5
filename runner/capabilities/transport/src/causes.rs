//! What lies behind an error.

use std::error::Error;

/// The error's causes, the nearest first.
pub fn of<'a>(error: &'a dyn Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

/// The error and its causes, each said once. Of a URL its host is said alone: that of an upload's
/// session is all that whoever has it needs to write there.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in of(error).map(ToString::to_string) {
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    let urls = std::iter::once(error)
        .chain(of(error))
        .filter_map(|cause| cause.downcast_ref::<reqwest::Error>()?.url());
    for url in urls {
        text = text.replace(url.as_str(), url.host_str().unwrap_or_default());
    }
    text
}

/// The last cause, after a colon; nothing where there is none.
pub fn last(error: &dyn Error) -> String {
    of(error)
        .last()
        .map(|cause| format!(": {cause}"))
        .unwrap_or_default()
}
