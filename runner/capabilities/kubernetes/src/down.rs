//! An API server that has answered and then refuses connections: it is being restarted or replaced.

use std::error::Error;
use std::io::{self, ErrorKind};

use sidestep_transport::causes;
use tower::BoxError;

/// A connection was refused by a server that had answered before.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Down(pub(super) BoxError);

/// Returns whether a connection was refused, or no route leads to its host.
pub(super) fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let refused = |error: &(dyn Error + 'static)| {
        let error = error.downcast_ref::<io::Error>();
        error.is_some_and(|error| {
            matches!(
                error.kind(),
                ErrorKind::ConnectionRefused
                    | ErrorKind::HostUnreachable
                    | ErrorKind::NetworkUnreachable
            )
        })
    };
    refused(error) || causes::of(error).any(refused)
}

/// Returns whether a request failed because of a server that is down.
pub(super) fn is_down(error: &kube::Error) -> bool {
    causes::of(error).any(|cause| cause.downcast_ref::<Down>().is_some())
}
