//! A blob's own errors, told from those of the connection that it is sent over.

use std::error::Error;
use std::io;

use sidestep_events::{Class, Failure, Owner, codes};

use crate::disk::DiskFull;

/// A blob's bytes could not be created or read on this machine.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unreadable(String);

/// Marks an error as a blob's own. One of a full disk is marked already.
pub(super) fn own(error: io::Error) -> io::Error {
    if holds::<DiskFull>(&error) {
        return error;
    }
    io::Error::new(error.kind(), Unreadable(error.to_string()))
}

/// Returns the failure of a blob whose bytes could not be created or read, if that is the error or
/// among its causes. A client that sends a blob returns such an error. `what` completes
/// "cannot …".
pub fn blob_failure(what: &str, error: &(dyn Error + 'static)) -> Option<Failure> {
    std::iter::successors(Some(error), |error| cause(*error))
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .find(|error| holds::<DiskFull>(error) || holds::<Unreadable>(error))
        .map(|error| disk_failure(what, error))
}

/// Returns the failure of this machine's own files. `what` completes "cannot …".
pub fn disk_failure(what: &str, error: &io::Error) -> Failure {
    let source = error.get_ref();
    if let Some(full) = source.and_then(|source| source.downcast_ref::<DiskFull>()) {
        return full.failure(what);
    }
    Failure::new(
        Class::Failed,
        codes::storage::LOCAL_BYTES,
        Owner::Operator,
        format!("cannot {what}: the bytes can't be created or stored on this machine: {error}"),
    )
}

fn holds<E: Error + 'static>(error: &io::Error) -> bool {
    let source = error.get_ref();
    source
        .and_then(|source| source.downcast_ref::<E>())
        .is_some()
}

/// Returns the next cause. The `source` of an I/O error leaves out the error that it wraps.
fn cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("sending failed")]
    struct Sending(#[source] io::Error);

    #[test]
    fn only_a_blobs_own_error_is_found_among_the_causes() {
        let full = crate::Disk::new(1).space().take(2).expect_err("too much");
        let rows = [
            (full.into(), Some("limit.disk")),
            (io::Error::other("no room"), Some("storage.local-bytes")),
        ];
        for (error, code) in rows {
            let sending = io::Error::other(Sending(own(error)));
            let failure = blob_failure("send", &sending);
            let found = failure.map(|failure| failure.code.exact().to_owned());
            assert_eq!(found.as_deref(), code);
        }
        let reset = Sending(io::ErrorKind::ConnectionReset.into());
        assert_eq!(blob_failure("send", &reset), None);
    }
}
