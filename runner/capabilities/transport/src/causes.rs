//! The causes of an error.

use std::error::Error;

/// Returns the error's causes, the nearest first.
pub fn of<'a>(error: &'a dyn Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

/// Returns the error and its causes, each once. Of a URL it contains only the host: the URL of an
/// upload's session is enough to write to it.
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

/// Returns the last cause, after a colon; empty if there is none.
pub fn last(error: &dyn Error) -> String {
    of(error)
        .last()
        .map(|cause| format!(": {cause}"))
        .unwrap_or_default()
}
