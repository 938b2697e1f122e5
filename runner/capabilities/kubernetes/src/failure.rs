//! Failures from the API server's errors.

use kube::core::Status;
use kube::runtime::watcher;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_transport::causes;

use super::bounds::TooLarge;
use super::rejection::Rejection;

/// The error of a request that was not sent, because there is no token for it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotSignedIn(pub(crate) Failure);

/// Returns the failure of the credentials, if a request was not sent because of them.
pub(super) fn not_signed_in(error: &kube::Error) -> Option<&Failure> {
    let mut causes = causes::of(error);
    causes
        .find_map(|cause| cause.downcast_ref::<NotSignedIn>())
        .map(|NotSignedIn(failure)| failure)
}

/// Returns the failure of a client's error. `what` completes "cannot …".
pub(crate) fn of_error(what: &str, error: &kube::Error) -> Failure {
    match error {
        kube::Error::Api(status) => of_status(what, status),
        error if is_too_large(error) => Failure::new(
            Class::Exhausted,
            codes::http::TOO_LARGE,
            Owner::Cluster,
            format!("cannot {what}: {TooLarge}"),
        ),
        // All other errors occur before an answer: a token, the network, TLS, the endpoint.
        error => match not_signed_in(error) {
            Some(failure) => failure.clone(),
            None => unanswered(what, &causes::chain(error)),
        },
    }
}

/// Returns the failure of a request without an answer.
fn unanswered(what: &str, why: &str) -> Failure {
    let failure = Failure::new(
        Class::Unavailable,
        codes::kubernetes::UNREACHABLE,
        Owner::Cluster,
        format!("cannot {what}: the API server did not answer: {why}"),
    );
    // The words of hyper's connectors for a proxy.
    if why.contains("tunnel error") || why.contains("SOCKS") {
        return failure.with_help("the request went through the proxy in HTTPS_PROXY, or in the kubeconfig's `proxy-url`: check that it is running and allows the cluster's host, or exclude the host with NO_PROXY");
    }
    failure.with_help("check whether the cluster's endpoint is reachable from here (a private endpoint needs its network, or the DNS endpoint)")
}

/// Returns whether an answer was not read to its end, because of its size.
pub(super) fn is_too_large(error: &kube::Error) -> bool {
    let mut causes = causes::of(error);
    causes
        .find_map(|cause| cause.downcast_ref::<TooLarge>())
        .is_some()
}

/// Returns the failure of a `Status` answer (Kubernetes API conventions, "Response Status Kind").
pub(super) fn of_status(what: &str, status: &Status) -> Failure {
    let refusal = Rejection::of(status);
    let (class, code) = match (status.code, status.reason.as_str()) {
        (401, _) => (Class::Denied, codes::kubernetes::UNAUTHENTICATED),
        _ if let Some(refusal) = refusal => refusal.kind(),
        (404, _) => (Class::NotFound, codes::kubernetes::NOT_FOUND),
        (409, "AlreadyExists") => (Class::Conflict, codes::kubernetes::ALREADY_EXISTS),
        (409, _) => (Class::Conflict, codes::kubernetes::CONFLICT),
        (400 | 422, _) => (Class::InvalidInput, codes::kubernetes::INVALID),
        (408 | 429 | 500..=599, _) => (Class::Unavailable, codes::kubernetes::UNAVAILABLE),
        _ => (Class::Failed, codes::kubernetes::FAILED),
    };
    let message = format!("cannot {what}: {}", status.message);
    let mut failure = Failure::new(class, code, Owner::Cluster, message)
        .with_detail("status", status.code)
        .with_detail("reason", status.reason.clone());
    if let Some(refusal) = refusal {
        failure = refusal.help(failure);
    }
    failure.retry_after_ms = status
        .details
        .as_ref()
        .map(|details| u64::from(details.retry_after_seconds) * 1000)
        .filter(|milliseconds| *milliseconds > 0);
    failure
}

/// The end of a watch that a retry cannot bring back.
#[derive(Debug)]
pub(super) enum Refused<'e> {
    /// By the API server.
    Status(&'e Status),
    /// By the credentials, before it was sent.
    Credentials(&'e Failure),
}

impl Refused<'_> {
    /// Returns the reason.
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Status(status) => &status.message,
            Self::Credentials(failure) => failure.message.exact(),
        }
    }

    /// Returns the failure of what completes "cannot …".
    pub(super) fn failure(&self, what: &str) -> Failure {
        match self {
            Self::Status(status) => of_status(what, status),
            Self::Credentials(failure) => (*failure).clone(),
        }
    }
}

/// Returns how a watch was refused, if a retry cannot help.
pub(super) fn refused(error: &watcher::Error) -> Option<Refused<'_>> {
    let status = match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => match error {
            kube::Error::Api(status) => status,
            error => {
                let failure = not_signed_in(error)?;
                let lasting = failure.class != Class::Unavailable;
                return lasting.then_some(Refused::Credentials(failure));
            }
        },
        watcher::Error::WatchError(status) => status,
        watcher::Error::NoResourceVersion => return None,
    };
    matches!(status.code, 401 | 403).then_some(Refused::Status(status))
}

#[cfg(test)]
mod tests {
    use sidestep_events::Command;

    use super::*;

    fn of(code: u16, message: &str) -> Failure {
        let status = Status {
            code,
            message: message.to_owned(),
            ..Status::default()
        };
        of_status("create pods builds/b", &status)
    }

    fn without_a_token(class: Class) -> kube::Error {
        let code = codes::identity::ID_TOKEN_EXPIRED;
        let failure = Failure::new(class, code, Owner::Operator, "the token has expired");
        kube::Error::Service(Box::new(NotSignedIn(failure)))
    }

    #[test]
    fn a_failure_of_the_credentials_is_not_the_api_server_s() {
        let failure = of_error("get pods", &without_a_token(Class::Denied));
        assert_eq!(failure.code, codes::identity::ID_TOKEN_EXPIRED);
        assert_eq!(
            (failure.class, failure.owner),
            (Class::Denied, Owner::Operator)
        );
    }

    #[test]
    fn a_watch_ends_with_a_lasting_failure_of_the_credentials() {
        let lost = |class| watcher::Error::WatchStartFailed(without_a_token(class));
        let lasting = lost(Class::Denied);
        let refused_by = refused(&lasting).expect("no retry helps");
        assert_eq!(refused_by.reason(), "the token has expired");
        assert_eq!(
            refused_by.failure("watch pods").code,
            codes::identity::ID_TOKEN_EXPIRED
        );
        assert!(refused(&lost(Class::Unavailable)).is_none());
    }

    #[test]
    fn a_proxy_that_does_not_answer_is_named() {
        let direct = unanswered("get pods", "client error (Connect): tcp connect error");
        assert!(direct.help[0].contains("private endpoint"), "{direct:?}");
        let proxied = unanswered("get pods", "client error (Connect): tunnel error: refused");
        assert!(proxied.help[0].contains("HTTPS_PROXY"), "{proxied:?}");
    }

    #[test]
    fn each_sentence_of_a_refusal_has_its_class_and_code() {
        let rows: &[(u16, &str, Class, &str)] = &[
            (
                403,
                "pods \"b\" is forbidden: exceeded quota: compute, requested: limits.cpu=2, used: limits.cpu=7, limited: limits.cpu=8",
                Class::Exhausted,
                "kubernetes.quota",
            ),
            (
                403,
                "pods \"b\" is forbidden: failed quota: compute: must specify limits.cpu for: kaniko; requests.cpu for: kaniko",
                Class::Exhausted,
                "kubernetes.quota",
            ),
            (
                403,
                "pods \"b\" is forbidden: insufficient quota to match these scopes: [{PriorityClass In [high]}]",
                Class::Exhausted,
                "kubernetes.quota",
            ),
            (
                403,
                "pods \"b\" is forbidden: status unknown for quota: compute, resources: limits.cpu",
                Class::Unavailable,
                "kubernetes.unavailable",
            ),
            (
                403,
                "pods \"b\" is forbidden: minimum cpu usage per Container is 100m, but request is 50m",
                Class::Exhausted,
                "kubernetes.quota",
            ),
            (
                403,
                "pods \"b\" is forbidden: [maximum memory usage per Pod is 1Gi, but limit is 2Gi, minimum cpu usage per Pod is 1.  No request is specified]",
                Class::Exhausted,
                "kubernetes.quota",
            ),
            (
                403,
                "pods \"b\" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000",
                Class::Exhausted,
                "kubernetes.quota",
            ),
            (
                422,
                "Pod \"b\" is invalid: spec.containers[0].resources.requests: Invalid value: \"4Gi\": must be less than or equal to memory limit of 1Gi",
                Class::Exhausted,
                "kubernetes.quota",
            ),
            (
                422,
                "Pod \"b\" is invalid: metadata.name: Invalid value: \"B\"",
                Class::InvalidInput,
                "kubernetes.invalid",
            ),
            (
                403,
                "pods \"b\" is forbidden: violates PodSecurity \"restricted:latest\": runAsNonRoot != true",
                Class::Denied,
                "kubernetes.pod-security",
            ),
            (
                403,
                "pods \"b\" is forbidden: error looking up service account builds/kaniko: serviceaccount \"kaniko\" not found",
                Class::NotFound,
                "kubernetes.service-account-missing",
            ),
            (
                403,
                "pods is forbidden: User \"ci@demo.iam.gserviceaccount.com\" cannot create resource \"pods\" in API group \"\" in the namespace \"builds\"",
                Class::Denied,
                "kubernetes.forbidden",
            ),
            (
                403,
                "admission webhook \"policy.example.com\" denied the request: no tag `latest`",
                Class::Denied,
                "kubernetes.forbidden",
            ),
            (
                404,
                "namespaces \"builds\" not found",
                Class::NotFound,
                "kubernetes.not-found",
            ),
        ];
        for (status, message, class, code) in rows {
            let failure = of(*status, message);
            assert_eq!(
                (failure.class, failure.code.exact()),
                (*class, *code),
                "{message}"
            );
            assert!(failure.message.exact().ends_with(message), "{message}");
        }
    }

    #[test]
    fn a_missing_verb_comes_with_the_command_that_prints_the_role() {
        let failure = of(
            403,
            "pods is forbidden: User \"x\" cannot create resource \"pods\" in API group \"\"",
        );
        let print = Command::fixed(&["sidestep", "plan", "--rbac"]);
        assert_eq!(failure.help.last(), Some(&print.into()));
    }
}
