//! Members of policies, and the principals that they name.

use crate::Caller;
use crate::state::{Attributes, State};

/// The prefix of workload identity pools' principals, after `principal:` or `principalSet:`.
const POOLS: &str = "//iam.googleapis.com/";

/// A principal whose permissions are checked.
#[derive(Debug, Clone)]
pub(crate) enum Principal {
    /// A caller without a credential.
    Anonymous,
    /// A Google account.
    User(String),
    /// A service account.
    ServiceAccount(String),
    /// A workload of a pool.
    Federated(Federated),
    /// A kind of member that gets no tokens.
    Other,
}

/// A workload of a pool.
#[derive(Debug, Clone)]
pub(crate) struct Federated {
    /// `//iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/POOL`.
    pool: String,
    /// The workload's subject in the pool, such as `ns/builds/sa/kaniko`.
    subject: String,
    attributes: Attributes,
}

impl Principal {
    pub(crate) fn of(caller: &Caller, state: &State) -> Self {
        let Caller::Member(member) = caller else {
            return Self::Anonymous;
        };
        if let Some(email) = member.strip_prefix("user:") {
            return Self::User(email.to_owned());
        }
        if let Some(email) = member.strip_prefix("serviceAccount:") {
            return Self::ServiceAccount(email.to_owned());
        }
        match member
            .strip_prefix("principal:")
            .and_then(|rest| rest.split_once("/subject/"))
        {
            Some((pool, subject)) => Self::Federated(Federated {
                pool: pool.to_owned(),
                subject: subject.to_owned(),
                attributes: state.federated.get(member).cloned().unwrap_or_default(),
            }),
            None => Self::Other,
        }
    }

    /// Returns whether a binding's member names this principal.
    pub(crate) fn is_named_by(&self, member: &str) -> bool {
        if member == "allUsers" {
            return true;
        }
        match self {
            Self::Anonymous | Self::Other => false,
            Self::User(email) => {
                member == "allAuthenticatedUsers"
                    || named(member, "user:").is_some_and(|m| m.eq_ignore_ascii_case(email))
                    || named(member, "domain:").is_some_and(|domain| {
                        email
                            .rsplit_once('@')
                            .is_some_and(|(_, d)| d.eq_ignore_ascii_case(domain))
                    })
            }
            Self::ServiceAccount(email) => {
                member == "allAuthenticatedUsers"
                    || named(member, "serviceAccount:") == Some(email.as_str())
            }
            Self::Federated(workload) => workload.is_named_by(member),
        }
    }
}

impl Federated {
    fn is_named_by(&self, member: &str) -> bool {
        if let Some(name) = named(member, "serviceAccount:") {
            return parse_workload(name).is_some_and(|(pool, namespace, account)| {
                self.pool
                    .ends_with(&format!("/workloadIdentityPools/{pool}"))
                    && self.subject == format!("ns/{namespace}/sa/{account}")
            });
        }
        let (single, rest) = if let Some(rest) = named(member, "principal:") {
            (true, rest)
        } else if let Some(rest) = named(member, "principalSet:") {
            (false, rest)
        } else {
            return false;
        };
        let Some(path) = rest
            .strip_prefix(&self.pool)
            .and_then(|p| p.strip_prefix('/'))
        else {
            return false;
        };
        // A subject or a uid names one workload, every other attribute a set of them.
        let names_one =
            path.starts_with("subject/") || path.starts_with("kubernetes.serviceaccount.uid/");
        match path.strip_prefix("subject/") {
            Some(subject) => single && subject == self.subject,
            None if path == "*" => !single,
            None => single == names_one && self.attributes.paths.contains(path),
        }
    }
}

fn named<'a>(member: &'a str, kind: &str) -> Option<&'a str> {
    member.strip_prefix(kind)
}

/// Splits `POOL[NAMESPACE/ACCOUNT]`.
pub fn parse_workload(name: &str) -> Option<(&str, &str, &str)> {
    let (pool, rest) = name.strip_suffix(']')?.split_once('[')?;
    let (namespace, account) = rest.split_once('/')?;
    Some((pool, namespace, account))
}

/// Returns the member of a Kubernetes service account in a workload pool, from the number of the
/// cluster's project.
pub fn workload_principal(number: &str, pool: &str, namespace: &str, account: &str) -> String {
    format!(
        "principal:{POOLS}projects/{number}/locations/global/workloadIdentityPools/{pool}/subject/ns/{namespace}/sa/{account}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload() -> Principal {
        let member = workload_principal("12", "demo.svc.id.goog", "builds", "kaniko");
        let mut state = State::default();
        let paths = ["namespace/builds", "kubernetes.serviceaccount.uid/u1"].map(String::from);
        state.federated.insert(
            member.clone(),
            Attributes {
                paths: paths.into(),
            },
        );
        Principal::of(&Caller::Member(member), &state)
    }

    #[test]
    fn a_workload_is_named_in_each_of_its_forms() {
        let pool = "//iam.googleapis.com/projects/12/locations/global/workloadIdentityPools/demo.svc.id.goog";
        for member in [
            "serviceAccount:demo.svc.id.goog[builds/kaniko]".to_owned(),
            format!("principal:{pool}/subject/ns/builds/sa/kaniko"),
            format!("principal:{pool}/kubernetes.serviceaccount.uid/u1"),
            format!("principalSet:{pool}/namespace/builds"),
            format!("principalSet:{pool}/*"),
            "allUsers".to_owned(),
        ] {
            assert!(workload().is_named_by(&member), "{member}");
        }
    }

    #[test]
    fn near_misses_name_nobody() {
        let pool = "//iam.googleapis.com/projects/12/locations/global/workloadIdentityPools/demo.svc.id.goog";
        for member in [
            "serviceAccount:demo.svc.id.goog[kaniko/builds]".to_owned(),
            "serviceAccount:12.svc.id.goog[builds/kaniko]".to_owned(),
            "serviceAccount:emo.svc.id.goog[builds/kaniko]".to_owned(),
            "deleted:serviceAccount:demo.svc.id.goog[builds/kaniko]".to_owned(),
            format!("principalSet:{pool}/subject/ns/builds/sa/kaniko"),
            format!("principal:{pool}/namespace/builds"),
            format!("principalSet:{pool}/namespace/other"),
            format!(
                "principal:{}/subject/ns/builds/sa/kaniko",
                pool.replace("12", "demo")
            ),
            "allAuthenticatedUsers".to_owned(),
            "user:builds".to_owned(),
        ] {
            assert!(!workload().is_named_by(&member), "{member}");
        }
    }

    #[test]
    fn a_user_is_not_a_service_account() {
        let state = State::default();
        let user = Principal::of(&Caller::Member("user:Dev@example.com".into()), &state);
        assert!(user.is_named_by("user:dev@example.com"));
        assert!(user.is_named_by("domain:example.com"));
        assert!(user.is_named_by("allAuthenticatedUsers"));
        assert!(!user.is_named_by("serviceAccount:dev@example.com"));
        assert!(!Principal::of(&Caller::Anonymous, &state).is_named_by("allAuthenticatedUsers"));
    }
}
