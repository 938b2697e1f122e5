//! Addresses: the caller's address for this server, and names inside a path.

use crate::App;
use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sidestep_sandbox_base::Origin;

const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Returns a name as one path segment: all characters except unreserved ones are escaped.
pub(crate) fn escaped(name: &str) -> String {
    utf8_percent_encode(name, PATH).to_string()
}

/// Returns `scheme://host[:port]` as the caller wrote it.
pub(crate) fn base(parts: &Parts, app: &App) -> String {
    Origin::of(
        parts,
        app.http_port.get().copied(),
        "storage.googleapis.com",
    )
    .to_string()
}
