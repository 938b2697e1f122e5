//! The failure of one request: whether to send it again, and whether it may have had an effect.

use http::StatusCode;
use sidestep_events::{Class, Failure};

use crate::Service;
use crate::retry::Attempt;

/// The failure of one request.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) failure: Failure,
    /// Whether another request may succeed.
    transient: bool,
    /// Whether the server may have carried out the request.
    pub(super) may_be_done: bool,
}

impl Failed {
    /// Returns the failure of a request that was not sent.
    pub(super) fn unsent(failure: Failure) -> Self {
        Self {
            transient: failure.class == Class::Unavailable,
            may_be_done: false,
            failure,
        }
    }

    /// Returns the failure of a request whose answer was lost.
    pub(super) fn lost(failure: Failure) -> Self {
        Self {
            transient: true,
            may_be_done: true,
            failure,
        }
    }

    /// Returns the failure of a request whose answer cannot be used.
    pub(super) fn unusable(failure: Failure) -> Self {
        Self {
            transient: false,
            may_be_done: true,
            failure,
        }
    }

    /// Returns the failure that a service answered with.
    pub(super) fn answered(service: Service, status: StatusCode, failure: Failure) -> Self {
        let transient = match service {
            // Cloud Storage, "Retry strategy": 408, 429 and 5xx.
            Service::Storage => failure.class == Class::Unavailable,
            // AIP-194 has only UNAVAILABLE. A request that was too much was not carried out.
            _ => matches!(
                status,
                StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
            ),
        };
        Self {
            transient,
            may_be_done: !status.is_client_error() || status == StatusCode::REQUEST_TIMEOUT,
            failure,
        }
    }
}

impl Attempt for Failed {
    fn failure(&self) -> &Failure {
        &self.failure
    }

    fn is_transient(&self) -> bool {
        self.transient
    }
}
