//! Refusals of the API server: it answers with one code for authorization, for admission and for
//! the limits of a namespace, and only the messages differ.

use kube::core::Status;
use sidestep_events::{Class, Command, Failure, codes};

/// The reason of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejection {
    /// The caller lacks a permission.
    Rights,
    /// A quota or a LimitRange of the namespace does not allow it.
    Quota,
    /// A quota has not been counted yet.
    Uncounted,
    /// The namespace's Pod Security level does not allow the pod.
    PodSecurity,
    /// The pod's service account does not exist.
    NoServiceAccount,
    /// Something else: an admission webhook, or a newer rule.
    Other,
}

/// Parts of the API server's messages, each row with its HTTP code; the first row that matches
/// counts. Sources: the admission plugins `resourcequota`, `limitranger`, `podsecurity` and
/// `serviceaccount`, the authorizer's `Forbidden`, and the validation of pods, which refuses a
/// request above a LimitRange's default limit.
const SENTENCES: &[(u16, &[&str], Rejection)] = &[
    (403, &["exceeded quota: "], Rejection::Quota),
    (403, &["failed quota: "], Rejection::Quota),
    (403, &["insufficient quota to "], Rejection::Quota),
    (403, &["status unknown for quota: "], Rejection::Uncounted),
    (403, &["minimum ", " usage per "], Rejection::Quota),
    (403, &["maximum ", " usage per "], Rejection::Quota),
    (403, &[" max limit to request ratio per "], Rejection::Quota),
    (
        422,
        &["must be less than or equal to ", " limit"],
        Rejection::Quota,
    ),
    (403, &["violates PodSecurity "], Rejection::PodSecurity),
    (
        403,
        &["error looking up service account ", " not found"],
        Rejection::NoServiceAccount,
    ),
    (403, &[" cannot ", " resource "], Rejection::Rights),
];

impl Rejection {
    /// Reads a `Status` answer; `None` if it is not a refusal.
    pub(super) fn of(status: &Status) -> Option<Self> {
        let fits = |parts: &[&str]| {
            let mut rest = status.message.as_str();
            parts.iter().all(|part| match rest.split_once(part) {
                Some((_, after)) => {
                    rest = after;
                    true
                }
                None => false,
            })
        };
        let mut rows = SENTENCES.iter();
        let row = rows.find(|(code, parts, _)| *code == status.code && fits(parts));
        row.map(|row| row.2)
            .or((status.code == 403).then_some(Self::Other))
    }

    /// Returns the class and the code.
    pub(super) fn kind(self) -> (Class, &'static str) {
        match self {
            Self::Rights | Self::Other => (Class::Denied, codes::kubernetes::FORBIDDEN),
            Self::Quota => (Class::Exhausted, codes::kubernetes::QUOTA),
            Self::Uncounted => (Class::Unavailable, codes::kubernetes::UNAVAILABLE),
            Self::PodSecurity => (Class::Denied, codes::kubernetes::POD_SECURITY),
            Self::NoServiceAccount => (Class::NotFound, codes::kubernetes::SERVICE_ACCOUNT_MISSING),
        }
    }

    /// Adds the help, if it is the same for every step.
    pub(super) fn help(self, failure: Failure) -> Failure {
        match self {
            Self::Rights => failure
                .with_help("a cluster administrator can grant what the plan needs; this prints the Roles:")
                .with_help(Command::fixed(&["sidestep", "plan", "--rbac"])),
            Self::Other => failure.with_help("a rule of the cluster refused it: the message names the rule or the webhook; ask a cluster administrator"),
            Self::Quota | Self::Uncounted | Self::PodSecurity | Self::NoServiceAccount => failure,
        }
    }
}
