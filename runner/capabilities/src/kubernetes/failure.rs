//! What the API server's errors mean to a person.

use kube::core::Status;
use kube::runtime::watcher;
use sidestep_events::{Class, Failure, Owner};

use crate::causes;

/// The failure that an error of the client is. `what` completes "cannot …".
pub(crate) fn of_error(what: &str, error: &kube::Error) -> Failure {
    match error {
        kube::Error::Api(status) => of_status(what, status),
        // Everything else happened before an answer: the network, TLS, the endpoint, a token.
        error => Failure::new(
            Class::Unavailable,
            "kubernetes.unreachable",
            Owner::Cluster,
            format!("cannot {what}: the API server did not answer: {}", causes::chain(error)),
        )
        .with_help("see whether the cluster's endpoint is reachable from here (a private endpoint needs its network, or the DNS endpoint)"),
    }
}

/// The failure that a `Status` answer is (Kubernetes API conventions, "Response Status Kind").
pub(super) fn of_status(what: &str, status: &Status) -> Failure {
    let (class, code) = match (status.code, status.reason.as_str()) {
        (401, _) => (Class::Denied, "kubernetes.unauthenticated"),
        // Admission and quota answer 403 as RBAC does; their messages differ.
        (403, _) if status.message.contains("exceeded quota") => {
            (Class::Exhausted, "kubernetes.quota")
        }
        (403, _) => (Class::Denied, "kubernetes.forbidden"),
        (404, _) => (Class::NotFound, "kubernetes.not-found"),
        (409, "AlreadyExists") => (Class::Conflict, "kubernetes.already-exists"),
        (409, _) => (Class::Conflict, "kubernetes.conflict"),
        (400 | 422, _) => (Class::InvalidInput, "kubernetes.invalid"),
        (408 | 429 | 500..=599, _) => (Class::Unavailable, "kubernetes.unavailable"),
        _ => (Class::Failed, "kubernetes.failed"),
    };
    let message = format!("cannot {what}: {}", status.message);
    let mut failure = Failure::new(class, code, Owner::Cluster, message)
        .with_detail("status", status.code)
        .with_detail("reason", status.reason.clone());
    failure.retry_after_ms = status
        .details
        .as_ref()
        .map(|details| u64::from(details.retry_after_seconds) * 1000)
        .filter(|milliseconds| *milliseconds > 0);
    failure
}

/// What the API server says to a watch that no other try can mend.
pub(super) fn refused(error: &watcher::Error) -> Option<&Status> {
    let status = match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status)) => status,
        watcher::Error::WatchError(status) => status,
        _ => return None,
    };
    matches!(status.code, 401 | 403).then_some(status)
}
