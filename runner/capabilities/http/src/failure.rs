//! Failures of requests that are not sent, and of those that get no answer.

use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::blob_failure;
use sidestep_transport::{NotPublic, causes, not_public};

/// Returns the failure of a request that cannot be sent as the plugin spelled it.
pub(super) fn wrong(why: String) -> Failure {
    Failure::new(
        Class::InvalidInput,
        codes::http::REQUEST,
        Owner::Plugin,
        format!("the request is not sent: {why}"),
    )
}

/// Returns the failure of a request to a host that plugins may not reach.
pub(super) fn refused(why: &NotPublic) -> Failure {
    Failure::new(
        Class::Refused,
        codes::http::ADDRESS,
        Owner::Author,
        format!("the request is not sent: {why}"),
    )
    .with_help("plugins can reach only hosts on the public internet")
}

/// Returns the failure of a request without an answer. It omits the URL, which may hold a secret.
pub(super) fn lost(what: &str, error: reqwest::Error) -> Failure {
    let error = error.without_url();
    if let Some(why) = not_public(&error) {
        return refused(why);
    }
    if let Some(own) = blob_failure(what, &error) {
        return own;
    }
    if error.is_timeout() {
        return Failure::new(
            Class::TimedOut,
            codes::http::TIMEOUT,
            Owner::Cloud,
            format!("cannot {what}: it took too long"),
        );
    }
    Failure::new(
        Class::Unavailable,
        codes::http::UNREACHABLE,
        Owner::Cloud,
        format!(
            "cannot {what}: the host can't be reached{}",
            causes::last(&error)
        ),
    )
    .with_help("try again; behind a proxy, check that HTTPS_PROXY is set for this process")
}
